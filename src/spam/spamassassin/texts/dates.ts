/**
 * Dates as SpamAssassin reads them in Date and Received, and how far Date lies
 * from when the message travelled. Lenient as there: what is missing is 0, what
 * is too much is the most. Seconds since 1970. Pure.
 */

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const MONTH = `(${MONTHS.join('|')})`
const DAY_MONTH_YEAR = new RegExp(` (\\d{1,9}) ${MONTH} (\\d{4}) `, 'i')
/** as ctime() writes it; its time is not read */
const MONTH_DAY_YEAR = new RegExp(` ${MONTH} (\\d{1,9}) \\d+:\\d+:\\d+ (\\d{4}) `, 'i')
const SHORT_YEAR = new RegExp(` (\\d{1,9}) ${MONTH} (\\d{2,3}) `, 'i')

/** Hours before and after UTC by name. */
const ZONES: ReadonlyMap<string, number> = new Map(Object.entries({
  '-10': 'HST HAST', '-9': 'AKST HADT', '-8': 'PST AKDT', '-7': 'MST PDT', '-6': 'CST MDT', '-5': 'EST CDT', '-4': 'AST EDT', '-3.5': 'NST', '-3': 'ADT BRT', '-2.5': 'NDT', '-2': 'BRST',
  '0': 'UT UTC GMT WET', '1': 'BST IST WEST CET MET MEZ', '2': 'CEST EET MEST MESZ', '3': 'EEST MSK IDT', '4': 'MSD', '8': 'AWST HKT SGT PHT', '9': 'JST KST', '9.5': 'ACST', '10': 'AEST', '10.5': 'ACDT', '11': 'AEDT', '12': 'NZST', '13': 'NZDT',
}).flatMap(([hours, names]) => names.split(' ').map((name) => [name, Number(hours)] as const)))

const MAX_DATE = 1000
const MAX_RECEIVED = 2000

/** undefined: it is none */
export function spamDate(text: string): number | undefined {
  let rest = ` ${text.slice(0, MAX_DATE)} `.replace(/,/g, ' ').replace(/\s+/g, ' ')
  const cut = (form: RegExp): RegExpExecArray | undefined => {
    const found = form.exec(rest)
    if (found === null) return undefined
    rest = `${rest.slice(0, found.index)} ${rest.slice(found.index + found[0].length)}`
    return found
  }
  const first = cut(DAY_MONTH_YEAR)
  const american = first === undefined ? cut(MONTH_DAY_YEAR) : undefined
  const [, one = '', two = '', years = ''] = first ?? american ?? cut(SHORT_YEAR) ?? []
  const [day, month] = american === undefined ? [one, two] : [two, one]
  if (years === '') return undefined
  const [hours = 0, minutes = 0, seconds = 0] = (cut(/ \d?\d:\d\d(?::\d\d)? /)?.[0] ?? '').split(':').map(Number)
  const time = moment({ year: fullYear(years), month: MONTHS.indexOf(month.toLowerCase()), day: Number(day) }) + Math.min(hours, 23) * 3600 + Math.min(minutes, 59) * 60 + Math.min(seconds, 59)
  if (Number.isNaN(time)) return undefined
  const ahead = zoneOf(rest)
  return ahead > 0 ? Math.max(0, time - ahead) : time - ahead
}

function fullYear(digits: string): number {
  const year = Number(digits)
  return digits.length === 4 ? year : digits.length === 2 && year < 50 ? year + 2000 : year + 1900
}

/** A day that the month has not is the first of the next; years are those of 32 bits. */
function moment({ year, month, day }: { readonly year: number; readonly month: number; readonly day: number }): number {
  const days = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const [later, first] = day > days ? [1, 1] : [0, day]
  const overYear = month + later > 11 ? 1 : 0
  if (first < 1) return NaN
  return Date.UTC(Math.max(1970, Math.min(2037, year + overYear)), (month + later) % 12, first) / 1000
}

/** seconds ahead of UTC */
function zoneOf(text: string): number {
  const [, sign, hours, minutes] = / ([-+])(\d\d)(\d\d) /.exec(text) ?? []
  if (sign !== undefined) return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60)
  return (ZONES.get(/\b([A-Z]{2,4}(?:-DST)?)\b/.exec(text)?.[1] ?? '') ?? 0) * 3600
}

const LOCAL = /\bfrom (?:localhost\s|(?:\S+ ){1,2}\S*\b127\.0\.0\.1\b)|qmail \d+ invoked by uid \d+/
const FETCHMAIL = /\bby localhost with \w+ \(fetchmail-[\d.]+/
const DATE_IN_RECEIVED = /\s.?\d+ \S\S\S \d+ \d+:\d+:\d+ \S+/

/**
 * Seconds by which the author's date lies ahead of the nearest of those at which
 * it was received; 0 where one of them is not known.
 * @param dates values of Resent-Date and Date, in this order
 * @param received values of Received, the newest first
 */
export function dateShift(dates: readonly string[], received: readonly string[]): number {
  const claimed = dates.map(spamDate).find((time) => time !== undefined)
  if (claimed === undefined) return 0
  const lines = received.map((line) => line.slice(0, MAX_RECEIVED))
  const [first = '', second = ''] = lines
  // What fetched it from another server says when that was, and not when it came.
  const own = FETCHMAIL.test(first) ? 1 : LOCAL.test(first) && FETCHMAIL.test(second) ? 2 : 0
  const shifts = lines.slice(own).flatMap((line) => {
    const time = spamDate(DATE_IN_RECEIVED.exec(line)?.[0] ?? '')
    return time === undefined ? [] : [claimed - time]
  })
  if (shifts.length > 1 && shifts.at(-1) === 0) shifts.pop()
  return shifts.reduce<number | undefined>((nearest, shift) => (nearest === undefined || Math.abs(shift) < Math.abs(nearest) ? shift : nearest), undefined) ?? 0
}
