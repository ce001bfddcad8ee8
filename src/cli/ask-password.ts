/**
 * A password from whoever sits there, or from whatever is piped in: on a
 * terminal it is asked for twice and not shown; otherwise it is the first line
 * of standard input. Throws an ExitError where there is none, where the two
 * differ, or where it was given up with Control-C.
 */
import type { Readable } from 'node:stream'
import { EXIT, ExitError } from './exit-codes.ts'

export interface PasswordTerminal {
  readonly input: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown }
  /** where questions stand; never standard output, which may go into a file */
  readonly err: (text: string) => void
}

const MAX_LINE_BYTES = 8192

export async function askPassword(name: string, terminal: PasswordTerminal): Promise<string> {
  if (terminal.input.isTTY !== true) return await firstLine(terminal.input)
  const password = await hidden(`Password of ${name}: `, terminal)
  const again = await hidden('Again: ', terminal)
  if (password !== again) throw new ExitError(EXIT.data, 'the two passwords differ; nothing was changed')
  return password
}

/** Of what is piped in. Without its line end, and with everything else. */
export async function firstLine(input: Readable): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of input) {
    const bytes = Buffer.isBuffer(piece) ? piece : Buffer.from(String(piece))
    pieces.push(bytes)
    size += bytes.length
    if (size > MAX_LINE_BYTES || bytes.includes(10)) break
  }
  return passwordLine(Buffer.concat(pieces))
}

export function passwordLine(bytes: Buffer): string {
  const end = bytes.indexOf(10)
  const line = end < 0 ? bytes : bytes.subarray(0, end)
  if (line.length > MAX_LINE_BYTES) throw new ExitError(EXIT.data, `the password is longer than ${MAX_LINE_BYTES} bytes`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(line).replace(/\r$/, '')
  } catch {
    throw new ExitError(EXIT.data, 'the password is not valid UTF-8')
  }
}

/** One line without an echo. Backspace takes a character back, Control-U all of them. */
async function hidden(question: string, { input, err }: PasswordTerminal): Promise<string> {
  err(question)
  input.setRawMode?.(true)
  const decoder = new TextDecoder()
  let typed: string[] = []
  try {
    return await new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        input.off('data', read)
        input.off('end', gone)
        input.pause()
        settle()
      }
      const gone = (): void => end(() => reject(given()))
      const read = (bytes: Buffer): void => {
        for (const one of decoder.decode(bytes, { stream: true })) {
          if (one === '\r' || one === '\n') return end(() => resolve(typed.join('')))
          if (one === '\x03' || one === '\x04') return gone()
          if (one === '\x7f' || one === '\b') typed.pop()
          else if (one === '\x15') typed = []
          else if (typed.length < MAX_LINE_BYTES) typed.push(one)
        }
      }
      input.on('data', read)
      input.on('end', gone)
      input.resume()
    })
  } finally {
    input.setRawMode?.(false)
    err('\n')
  }
}

function given(): ExitError {
  return new ExitError(EXIT.data, 'no password was given; nothing was changed')
}
