/**
 * Whether a client's name is one that a provider gives to every address of a
 * pool (`192-0-2-1.dyn.provider.example`), and not one that somebody gave to a
 * mail server. A guess: points for what such names have in common, and fewer
 * for words that say server. From two points on a name is generic.
 *
 *   2  the whole address stands in it: in decimal or with leading zeros, forwards
 *      or backwards, with or without something between; in hexadecimal; as one
 *      number; of IPv6, half of its digits
 *   1  two neighbouring bytes of it do, as numbers by themselves, or the last
 *      two groups of IPv6
 *   2  a word for a way of access: dyn, dhcp, pool, dsl, ppp, cable …
 *   1  a word for a customer: cust, client, user, home …
 *  -2  a word for a server: mail, mx, smtp, out, relay, static …
 *
 * Each line counts once. Words are looked for left of the last two labels, which
 * are the provider's own name. Of several names one that is not generic is
 * enough: somebody gave it. Pure; nothing throws; names are bounded by the DNS.
 */
import { hexadecimal, parseIpAddress, type IpAddress } from '../reputation/reverse-name.ts'

export interface GenericName {
  readonly generic: boolean
  /** what speaks for it and against it; '' where nothing does */
  readonly why: string
}

const GENERIC_FROM = 2
const MAX_NAME_CHARACTERS = 255

const ACCESS = wordSet(`dyn dynamic dynip dynamicip dhcp dhcpv pool pools dsl adsl vdsl sdsl xdsl hdsl dslam ppp pppoe pppoa dial dialin dialup dip
  cable cablemodem catv cm cmts modem hfc docsis ftth fttb fttc fttx fiber fibre fibra gpon pon bras broadband bband wifi wlan wimax wireless mobile
  lte gprs umts cdma isdn residential resnet nat cgn cgnat hotspot tunnel vpn unallocated unassigned unused`)
const CUSTOMER = wordSet('cust customer customers cliente clientes client clients user users home subscriber subscribers sub res host ip ipv unknown node dyndns rev reverse ptr')
const SERVER = wordSet(`mail mails mailer mailers mailhost mailserver mailgw mailout mailrelay webmail email mx mxs smtp smtps smtpout esmtp mta out outgoing
  outbound relay relays postfix exim sendmail exchange lists listserv newsletter static statics fixed`)

function wordSet(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/))
}

/**
 * @param names those that are confirmed, or those of the PTR where none is
 * @param address the client's
 */
export function genericName(names: readonly string[], address: string): GenericName {
  const client = parseIpAddress(address)
  if (client === undefined || names.length === 0) return { generic: false, why: '' }
  const judged = names.map((name) => judge(name.toLowerCase().slice(0, MAX_NAME_CHARACTERS), client))
  return judged.find(({ generic }) => !generic) ?? judged[0] ?? { generic: false, why: '' }
}

interface Mark {
  readonly points: number
  readonly why: string
}

function judge(name: string, client: IpAddress): GenericName {
  const words = wordsOf(name)
  const marks = [
    client.family === 4 ? ipv4Mark(name, client.bytes) : ipv6Mark(name, client.bytes),
    wordMark(words, ACCESS, { points: 2, kind: 'a way of access' }),
    wordMark(words, CUSTOMER, { points: 1, kind: 'a customer' }),
    wordMark(words, SERVER, { points: -2, kind: 'a server' }),
  ].filter((mark) => mark !== undefined)
  const points = marks.reduce((sum, mark) => sum + mark.points, 0)
  return { generic: points >= GENERIC_FROM, why: marks.map(({ why }) => why).join('; ') }
}

/** Runs of letters: `adsl2-pool7` has `adsl` and `pool`. */
function wordsOf(name: string): readonly string[] {
  const own = name.split('.').slice(0, -2).join('.')
  return own.match(/[a-z]+/g) ?? []
}

function wordMark(words: readonly string[], known: ReadonlySet<string>, { points, kind }: { points: number; kind: string }): Mark | undefined {
  const found = words.find((word) => known.has(word))
  return found === undefined ? undefined : { points, why: `"${found}" is a word for ${kind}` }
}

function ipv4Mark(name: string, bytes: readonly number[]): Mark | undefined {
  const whole = [bytes, bytes.toReversed()].some((order) => standsAsNumbers(name, order) || standsTogether(name, order))
  if (whole || standsAsOneNumber(name, bytes)) return { points: 2, why: 'the address stands in it' }
  const pairs = bytes.slice(1).map((byte, i) => [bytes[i] ?? 0, byte])
  const part = pairs.some((pair) => standsAsNumbers(name, pair) || standsAsNumbers(name, pair.toReversed()))
  return part ? { points: 1, why: 'a part of the address stands in it' } : undefined
}

/** `192-0-2-1`, `192.000.002.001`, `192x0x2x1`: something that is no digit between. */
function standsAsNumbers(name: string, bytes: readonly number[]): boolean {
  // Most names have no such number, and an expression for each client is dear to make.
  if (!bytes.every((byte) => name.includes(String(byte)))) return false
  return new RegExp(`(?<!\\d)${bytes.map((byte) => `0{0,2}${byte}`).join('[^0-9]{1,2}')}(?!\\d)`).test(name)
}

/** `192000002001`, and in hexadecimal `c0000201` or `c0-00-02-01`. */
function standsTogether(name: string, bytes: readonly number[]): boolean {
  const decimal = bytes.map((byte) => String(byte).padStart(3, '0')).join('')
  if (name.includes(decimal)) return true
  const digits = bytes.map((byte) => byte.toString(16).padStart(2, '0'))
  return digits.every((pair) => name.includes(pair)) && new RegExp(`(?<![0-9a-f])(?:0x)?${digits.join('[-.]?')}(?![0-9a-f])`).test(name)
}

function standsAsOneNumber(name: string, bytes: readonly number[]): boolean {
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0)
  return value > 0xffffff && name.includes(String(value)) && new RegExp(`(?<!\\d)${value}(?!\\d)`).test(name)
}

/** Names of IPv6 clients write the groups with or without leading zeros, or the digits, forwards or backwards, one by one. */
function ipv6Mark(name: string, bytes: readonly number[]): Mark | undefined {
  const digits = hexadecimal(bytes)
  const bare = name.replace(/[^0-9a-f]/g, '')
  const halves = [digits.slice(0, 16), digits.slice(16)].filter((half) => /[^0]/.test(half.slice(0, 12)))
  if (halves.some((half) => bare.includes(half) || bare.includes(half.split('').reverse().join('')))) return { points: 2, why: 'the address stands in it' }
  const groups = (digits.match(/.{4}/g) ?? []).map((group) => group.replace(/^0{1,3}/, ''))
  if (standsAsGroups(name, groups.slice(0, 4)) || standsAsGroups(name, groups.filter((group) => group !== '0'))) return { points: 2, why: 'the address stands in it' }
  return standsAsGroups(name, groups.slice(6)) ? { points: 1, why: 'a part of the address stands in it' } : undefined
}

/** Groups in order, with something between that is no digit; a run of zero groups may be left out. */
function standsAsGroups(name: string, groups: readonly string[]): boolean {
  if (groups.length < 2 || groups.filter((group) => group !== '0').length < 2) return false
  return new RegExp(`(?<![0-9a-f])${groups.map((group) => `0{0,3}${group}`).join('[^0-9a-f]{1,3}')}(?![0-9a-f])`).test(name)
}
