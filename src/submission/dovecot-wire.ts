/**
 * The words of Dovecot's auth client protocol, version 1.2: lines of fields
 * parted by tabs (doc/auth-protocol.txt of Dovecot). No I/O.
 *
 * `DovecotLines` takes bytes in pieces of any size and gives lines; one that is
 * too long ends it for good. `parseDovecotLine` says what a line means; words
 * that are not known are `other`, as the protocol wants it.
 */

export const MAJOR_VERSION = 1
export const MINOR_VERSION = 2
/** Dovecot's own bound is 8 KiB. */
const MAX_LINE_BYTES = 16 * 1024
const MAX_FIELDS = 256

export type DovecotLine =
  | { readonly word: 'version'; readonly major: number; readonly minor: number }
  | { readonly word: 'mechanism'; readonly name: string; readonly flags: ReadonlySet<string> }
  | { readonly word: 'done' }
  | { readonly word: 'continue'; readonly id: number; readonly data: Buffer }
  | { readonly word: 'ok'; readonly id: number; readonly fields: DovecotFields }
  | { readonly word: 'fail'; readonly id: number; readonly fields: DovecotFields }
  | { readonly word: 'other' }
  | { readonly word: 'malformed'; readonly why: string }

/** `name=value`, and names alone with the value ''. */
export type DovecotFields = ReadonlyMap<string, string>

export class DovecotLines {
  #rest: Buffer = Buffer.alloc(0)
  #broken = false

  /** The lines that are whole now; `too long` once, and nothing afterwards. */
  push(bytes: Buffer): readonly string[] | 'too long' {
    if (this.#broken) return []
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const lines: string[] = []
    let from = 0
    for (let end = all.indexOf(10); end >= 0; end = all.indexOf(10, from)) {
      if (end - from > MAX_LINE_BYTES) return this.#end()
      lines.push(all.toString('utf8', from, end))
      from = end + 1
    }
    if (all.length - from > MAX_LINE_BYTES) return this.#end()
    this.#rest = Buffer.from(all.subarray(from))
    return lines
  }

  #end(): 'too long' {
    this.#broken = true
    this.#rest = Buffer.alloc(0)
    return 'too long'
  }
}

export function parseDovecotLine(line: string): DovecotLine {
  const parts = line.split('\t', MAX_FIELDS)
  const [word = '', first = '', second = ''] = parts
  switch (word) {
    case 'VERSION': return /^\d{1,6}$/.test(first) && /^\d{1,6}$/.test(second) ? { word: 'version', major: Number(first), minor: Number(second) } : malformed('VERSION without numbers')
    case 'MECH': return /^[A-Z0-9_-]{1,20}$/i.test(first) ? { word: 'mechanism', name: first.toUpperCase(), flags: new Set(parts.slice(2)) } : malformed('MECH without the name of a mechanism')
    case 'DONE': return { word: 'done' }
    case 'CONT': {
      const id = idOf(first)
      const data = base64(second)
      return id === undefined || data === null ? malformed('CONT without a number and base64') : { word: 'continue', id, data }
    }
    case 'OK':
    case 'FAIL': {
      const id = idOf(first)
      return id === undefined ? malformed(`${word} without a number`) : { word: word === 'OK' ? 'ok' : 'fail', id, fields: fieldsOf(parts.slice(2)) }
    }
    default: return { word: 'other' }
  }
}

/** `resp` stands last, as the protocol wants it; null: the client has sent no initial response. */
export interface DovecotRequest {
  readonly id: number
  readonly mechanism: string
  readonly fields: readonly (readonly [name: string, value?: string])[]
  readonly response: Buffer | null
}

export function formatAuth({ id, mechanism, fields, response }: DovecotRequest): string {
  const words = fields.map(([name, value]) => (value === undefined ? name : `${name}=${escape(value)}`))
  const resp = response === null ? [] : [`resp=${response.toString('base64')}`]
  return `${['AUTH', id, escape(mechanism), ...words, ...resp].join('\t')}\n`
}

export function formatContinue(id: number, response: Buffer): string {
  return `CONT\t${id}\t${response.toString('base64')}\n`
}

export function formatCancel(id: number): string {
  return `CANCEL\t${id}\n`
}

export function formatHandshake(clientId: number): string {
  return `VERSION\t${MAJOR_VERSION}\t${MINOR_VERSION}\nCPID\t${clientId}\n`
}

const ESCAPES: Readonly<Record<string, string>> = { '\0': '\x010', '\x01': '\x011', '\t': '\x01t', '\r': '\x01r', '\n': '\x01n' }
const UNESCAPES: Readonly<Record<string, string>> = { '0': '\0', '1': '\x01', 't': '\t', 'r': '\r', 'n': '\n' }

function escape(text: string): string {
  return text.replace(/[\0\x01\t\r\n]/g, (one) => ESCAPES[one] ?? '')
}

function unescape(text: string): string {
  return text.replace(/\x01(.)/gs, (_, one: string) => UNESCAPES[one] ?? one)
}

function fieldsOf(parts: readonly string[]): DovecotFields {
  return new Map(parts.map((part): [string, string] => {
    const at = part.indexOf('=')
    return at < 0 ? [part, ''] : [part.slice(0, at), unescape(part.slice(at + 1))]
  }))
}

function idOf(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined
}

function base64(text: string): Buffer | null {
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, 'base64') : null
}

function malformed(why: string): DovecotLine {
  return { word: 'malformed', why }
}
