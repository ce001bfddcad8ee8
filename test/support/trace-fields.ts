/**
 * Takes header fields off the top of a message, byte for byte: what servers put
 * there on the way. A field is its line and the folded ones behind it, with CRLF
 * or LF ends. An Error where the top is another field.
 */
import { createHash } from 'node:crypto'

export interface Topped {
  /** the whole field, unfolded lines and all */
  readonly field: string
  readonly rest: Buffer
}

export function takeTop(data: Buffer): Topped | null {
  const text = data.toString('latin1')
  const field = /^[!-9;-~]+[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*/.exec(text)?.[0]
  return field === undefined ? null : { field, rest: data.subarray(field.length) }
}

/** The gateway's Received field, and the message under it. */
export function takeReceived(data: Buffer, by = 'gateway.example'): Topped {
  const top = takeTop(data)
  if (top === null || !/^Received:/i.test(top.field) || !top.field.includes(`by ${by} `)) {
    throw new Error(`no Received by ${by} on top of ${JSON.stringify(data.toString('latin1').slice(0, 300))}`)
  }
  return top
}

/** Takes off every field on top whose name is listed, until another one comes. */
export function withoutTop(data: Buffer, names: readonly string[]): Buffer {
  const wanted = new Set(names.map((name) => name.toLowerCase()))
  let rest = data
  for (;;) {
    const top = takeTop(rest)
    if (top === null || !wanted.has((top.field.split(':')[0] ?? '').trim().toLowerCase())) return rest
    rest = top.rest
  }
}

/** Programs that deliver into files on Unix end lines with LF. */
export function toCrlf(data: Buffer): Buffer {
  return Buffer.from(data.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
}

export function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
