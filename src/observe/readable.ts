/**
 * A log record as one line for people, for terminals: time, level, what
 * happened, its facts. The line that ends a transaction (`msg: "message"`) has
 * a form of its own. Colours are SGR sequences and are left out with
 * `colour: false` (NO_COLOR, no-color.org).
 *
 * Everything that came from the network is escaped: no control character
 * reaches the terminal but the line end at the end. Never throws.
 */
export type Level = 'debug' | 'info' | 'warn' | 'error'
export type Facts = Readonly<Record<string, unknown>>

export interface LogRecord {
  readonly level: Level
  readonly time: Date
  readonly text: string
  readonly facts: Facts
}

export type Paint = (style: Style, text: string) => string
export type Style = 'dim' | 'bold' | 'red' | 'green' | 'yellow' | 'cyan' | 'magenta'

const SGR: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, magenta: 35, cyan: 36 }

export function painter(colour: boolean): Paint {
  return colour ? (style, text) => `\x1b[${SGR[style]}m${text}\x1b[0m` : (_style, text) => text
}

/** NO_COLOR of any value but the empty one, and terminals that say they can do nothing. */
export function wantsColour(terminal: boolean, environment: NodeJS.ProcessEnv): boolean {
  return terminal && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb'
}

/**
 * C0, DEL and C1 control characters, line and paragraph separators, and the
 * marks that turn the direction of text: all that can move a cursor, forge a
 * line or hide what stands there.
 */
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (character) => SHORT[character] ?? escapeCharacter(character))
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0)
  return code < 0x100 ? '\\x' + code.toString(16).padStart(2, '0') : '\\u' + code.toString(16).padStart(4, '0')
}

const LABEL: Readonly<Record<Level, readonly [Style, string]>> = {
  debug: ['dim', 'debug'],
  info: ['cyan', ' info'],
  warn: ['yellow', ' warn'],
  error: ['red', 'error'],
}

export function renderRecord(record: LogRecord, paint: Paint): string {
  const [style, label] = LABEL[record.level]
  const start = `${paint('dim', clockTime(record.time))} ${paint(style, label)} `
  const rest = record.text === 'message' ? renderMessage(record.facts, paint) : renderPlain(record, paint)
  return start + rest + '\n'
}

function renderPlain(record: LogRecord, paint: Paint): string {
  const { err, ...facts } = record.facts
  const parts = [escapeControls(record.text)]
  for (const [key, value] of Object.entries(facts)) {
    if (value !== undefined) parts.push(paint('dim', `${escapeControls(key)}=`) + valueText(value))
  }
  return parts.join(' ') + (err === undefined ? '' : renderStack(err, paint))
}

/** A stack is ours: its line ends stay, everything else in it is escaped. */
function renderStack(error: unknown, paint: Paint): string {
  const stack = isFacts(error) && typeof error['stack'] === 'string' ? error['stack'] : valueText(error)
  return stack
    .split('\n')
    .map((line) => '\n    ' + paint('dim', escapeControls(line.trim())))
    .join('')
}

/** `time info  250 accepted  ann@a.example → bob@b.example  4.1 kB via local  12 ms  id` */
function renderMessage(facts: Facts, paint: Paint): string {
  const { id, from, rcpts, size, hop, ms, verdict, reply, listener, client, ...more } = facts
  // Without a last word on the whole, what became of it stands in its place.
  const headline = escapeControls(plainText(reply ?? verdict ?? '-'))
  const parts = [paint(headlineStyle(headline), headline)]
  if (reply !== undefined && verdict !== undefined && verdict !== 'accept') parts.push(paint('bold', escapeControls(plainText(verdict))))
  parts.push(`${address(from)} → ${recipients(rcpts)}`)
  if (typeof size === 'number') parts.push(formatSize(size))
  if (client !== undefined) parts.push(`from ${escapeControls(plainText(client))}`)
  if (hop !== undefined) parts.push(`via ${escapeControls(plainText(hop))}`)
  if (typeof ms === 'number') parts.push(`${Math.round(ms)} ms`)
  for (const [key, value] of Object.entries(more)) {
    if (key === 'helo' || value === undefined || value === null || isEmptyList(value)) continue
    parts.push(paint('dim', `${escapeControls(key)}=`) + valueText(value))
  }
  const tail = [listener, id].filter((part) => part !== undefined).map((part) => escapeControls(plainText(part)))
  return parts.join('  ') + '  ' + paint('dim', tail.join(' '))
}

function headlineStyle(headline: string): Style {
  if (headline.startsWith('2')) return 'green'
  return headline.startsWith('5') || headline === 'refused' ? 'red' : 'yellow'
}

function address(value: unknown): string {
  return value === '' || value === undefined || value === null ? '<>' : escapeControls(plainText(value))
}

const SHOWN_RECIPIENTS = 3

function recipients(value: unknown): string {
  if (!Array.isArray(value)) return address(value)
  if (value.length === 0) return '(nobody)'
  const shown = value.slice(0, SHOWN_RECIPIENTS).map(address).join(', ')
  const more = value.length - SHOWN_RECIPIENTS
  return more > 0 ? `${shown} and ${more} more` : shown
}

export function formatSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}

function plainText(value: unknown): string {
  if (typeof value === 'string') return value
  // undefined, and what JSON has no form for, are shown as nothing.
  const json: unknown = JSON.stringify(value)
  return typeof json === 'string' ? json : ''
}

function valueText(value: unknown): string {
  const text = escapeControls(plainText(value))
  return typeof value === 'string' && /[\s"=]|^$/.test(text) ? `"${text.replaceAll('"', '\\"')}"` : text
}

function isFacts(value: unknown): value is Facts {
  return typeof value === 'object' && value !== null
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

/** Local time: a terminal stands where its reader is. */
function clockTime(time: Date): string {
  const part = (value: number, width = 2): string => String(value).padStart(width, '0')
  return `${part(time.getHours())}:${part(time.getMinutes())}:${part(time.getSeconds())}.${part(time.getMilliseconds(), 3)}`
}
