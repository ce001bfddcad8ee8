/**
 * How `postern quarantine` shows what is kept. Everything that came from the
 * network is escaped: no control character of a stranger reaches a terminal.
 */
import { StringDecoder } from 'node:string_decoder'
import { fieldText } from '../mime/encoded-words.ts'
import { escapeControls, formatSize } from '../observe/readable.ts'
import type { EnvelopePath } from '../smtp/envelope.ts'
import { readablePath, type QuarantineEntry } from '../state/quarantine-entry.ts'
import { safeJson } from './safe-json.ts'

const SHOWN_RECIPIENTS = 3
const MAX_ADDRESS = 64
/** of a line; JSON has all that is read of it */
const MAX_SUBJECT = 100
const MAX_FIELD = 500
/** header fields that tell a reader what a message is */
const TELLING = ['From', 'To', 'Subject', 'Date']

/** One line: `ID  kept  score  size  from → to  subject  first reason`. */
export function describeLine(entry: QuarantineEntry, subject: string | undefined): string {
  const { id, at, score, size, sender, recipients, reasons } = entry
  const shown = recipients.slice(0, SHOWN_RECIPIENTS).map(shortAddress).join(', ')
  const more = recipients.length > SHOWN_RECIPIENTS ? ` and ${recipients.length - SHOWN_RECIPIENTS} more` : ''
  const columns = [
    id.padEnd(10), `${new Date(at).toISOString().slice(0, 16)}Z`, (score === undefined ? '-' : String(score)).padStart(6), formatSize(size).padStart(8),
    `${shortAddress(sender)} → ${shown === '' ? '(all have had it)' : shown}${more}`,
    subject === undefined ? '-' : cut(escapeControls(subject), MAX_SUBJECT),
  ]
  const [reason] = reasons
  return `${columns.join('  ')}${reason === undefined ? '' : `  ${cut(escapeControls(reason), MAX_FIELD)}`}\n`
}

/** For scripts: one object a line, control characters as \u…, addresses without brackets. */
export function describeJson(entry: QuarantineEntry, subject: string | undefined): string {
  const { id, at, hop, client, score, size, reasons } = entry
  const object = {
    id, at: new Date(at).toISOString(), hop,
    from: readablePath(entry.sender), to: entry.recipients.map(readablePath), delivered: entry.delivered.map(readablePath),
    client: client.address, name: client.name, helo: client.helo, size, score, reasons, subject: subject ?? null,
  }
  return `${safeJson(object)}\n`
}

/** All that is known of a message, one thing a line. @param section its header section, binary */
export function describeEntry(entry: QuarantineEntry, section: string): string {
  const { client } = entry
  const lines: (readonly [string, string])[] = [
    ['id', entry.id],
    ['kept', new Date(entry.at).toISOString()],
    ['client', `${client.address ?? 'local'}${client.name === undefined ? '' : ` (${client.name})`}${client.helo === undefined ? '' : `, HELO ${client.helo}`}, ${client.protocol}`],
    ...(client.login === undefined ? [] : [['login', client.login] as const]),
    ['sender', withParameters(entry.sender)],
    ...entry.recipients.map((one) => ['recipient', withParameters(one)] as const),
    ...entry.delivered.map((one) => ['had it', withParameters(one)] as const),
    ['hop', entry.hop],
    ['size', formatSize(entry.size)],
    ...(entry.score === undefined ? [] : [['score', String(entry.score)] as const]),
    ...entry.reasons.map((one) => ['reason', one] as const),
    ...TELLING.flatMap((name) => fieldsNamed(section, name).map((value) => [name, value] as const)),
  ]
  return lines.map(([name, value]) => `${name.padEnd(10)} ${cut(escapeControls(value), MAX_FIELD)}\n`).join('')
}

/** Lines of a stranger's text; line ends and tabs stay what they are. */
export function safeLines(binary: string): string {
  const safe = safeText()
  return safe.push(Buffer.from(binary, 'latin1')) + safe.end()
}

export interface SafeText {
  push(piece: Buffer): string
  end(): string
}

/** The same for what comes in pieces, cut wherever. */
export function safeText(): SafeText {
  const decoder = new StringDecoder('utf8')
  let kept = ''
  const escape = (text: string): string => text.replace(/\r\n/g, '\n').replace(/[^\n\t]+/g, escapeControls)
  return {
    push(piece) {
      const text = kept + decoder.write(piece)
      kept = text.endsWith('\r') ? '\r' : ''
      return escape(kept === '' ? text : text.slice(0, -1))
    },
    end: () => escape(kept + decoder.end()),
  }
}

function withParameters(path: EnvelopePath): string {
  return [readablePath(path), ...path.parameters.map(({ keyword, value }) => (value === null ? keyword : `${keyword}=${value}`))].join(' ')
}

function shortAddress(path: EnvelopePath): string {
  return cut(escapeControls(readablePath(path)), MAX_ADDRESS)
}

/** Values of the fields of this name, unfolded (RFC 5322 §2.2.3) and decoded (RFC 2047). */
function fieldsNamed(section: string, name: string): readonly string[] {
  const values: string[] = []
  for (const field of section.replace(/\r?\n(?=[ \t])/g, '').split(/\r?\n/)) {
    const colon = field.indexOf(':')
    if (colon < 0 || field.slice(0, colon).trimEnd().toLowerCase() !== name.toLowerCase()) continue
    values.push(fieldText(field.slice(colon + 1).trim()))
    if (values.length === 3) break
  }
  return values
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text
}
