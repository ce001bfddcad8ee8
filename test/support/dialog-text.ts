/**
 * Reads SMTP dialogs from their text files; `dialog.ts` plays them.
 *
 *     === a name, then options `key: value`; `begin: RCPT` leaves out what comes
 *         before: greeting, EHLO, MAIL from a@client.example, RCPT to b@hop.example
 *     C: a line of the client, CR LF added        C| the same without CR LF
 *     S: a line that we must say next             (nothing else may be said)
 *     H: [hop] VERB reply                         what the hop answers to the next VERB;
 *                                                 ` / ` parts lines, ` && ` replies, `hang` waits
 *     > [hop:] MAIL|RCPT|MESSAGE|ABORT …          what the hop was told, in order
 *     >> a line of the message it got             >| its last line, without CR LF
 *     L: key=value, …                             the transaction's line in the log
 *     (wait 5m) (stop) (tls) (closed) …           see `DIRECTIVES` in dialog.ts
 *
 * Escapes: \r \n \0 \t \\ \xHH, and {text*N} for a repetition. A line that
 * begins with # is a comment. What is none of these is an Error with its place.
 */
import { readFileSync } from 'node:fs'
import type { Reply } from '../../src/smtp/reply.ts'
import { unescape, type HopVerb } from './fake-hop.ts'

export interface Dialog {
  readonly file: string
  readonly line: number
  readonly name: string
  readonly options: ReadonlyMap<string, string>
  readonly steps: readonly Step[]
}

export type Step = { readonly line: number; readonly text: string } & (
  | { readonly kind: 'client' | 'server' | 'event' | 'log' | 'directive' }
  | { readonly kind: 'script'; readonly hop: string | undefined; readonly verb: HopVerb; readonly answer: readonly Reply[] | 'hang' }
)

const OPTIONS = ['protocol', 'role', 'newlines', 'tls', 'trust', 'client', 'received', 'hop', 'domains', 'may-use', 'limits', 'timeouts', 'max-received', 'auth', 'begin']

export function readDialogs(file: string): Dialog[] {
  const dialogs: { file: string; line: number; name: string; options: Map<string, string>; steps: Step[] }[] = []
  let inOptions = false
  for (const [index, raw] of readFileSync(file, 'utf8').split('\n').entries()) {
    const line = index + 1
    const current = dialogs.at(-1)
    if (raw.startsWith('=== ')) {
      dialogs.push({ file, line, name: raw.slice(4), options: new Map(), steps: [] })
      inOptions = true
    } else if (raw.startsWith('#')) continue
    else if (raw === '') continue
    else if (current === undefined) throw new Error(`${file}:${line}: a dialog begins with === and its name`)
    else if (inOptions && /^[a-z-]+:/.test(raw)) readOption(raw, current.options, `${file}:${line}`)
    else {
      inOptions = false
      current.steps.push(readStep(raw, line, file))
    }
  }
  return dialogs
}

function readOption(text: string, options: Map<string, string>, where: string): void {
  const [, key = '', value = ''] = /^([a-z-]+): *(.*)$/.exec(text) ?? []
  if (!OPTIONS.includes(key)) throw new Error(`${where}: no option ${JSON.stringify(text)}; allowed are ${OPTIONS.join(', ')}`)
  options.set(key, options.has(key) ? `${options.get(key)}; ${value}` : value)
}

function readStep(raw: string, line: number, file: string): Step {
  const rest = raw.slice(raw[2] === ' ' ? 3 : 2)
  if (raw.startsWith('C:')) return { kind: 'client', line, text: expand(rest) + '\r\n' }
  if (raw.startsWith('C|')) return { kind: 'client', line, text: expand(rest) }
  if (raw.startsWith('S:')) return { kind: 'server', line, text: expand(rest) + '\r\n' }
  if (raw.startsWith('H:')) return readScript(rest, line, `${file}:${line}`)
  if (raw.startsWith('>>')) return { kind: 'event', line, text: `>${expandOnly(rest)}` }
  if (raw.startsWith('>|')) return { kind: 'event', line, text: `|${expandOnly(rest)}` }
  if (raw.startsWith('> ')) return { kind: 'event', line, text: expandOnly(raw.slice(2)) }
  if (raw.startsWith('L:')) return { kind: 'log', line, text: rest }
  if (/^\(.+\)$/.test(raw)) return { kind: 'directive', line, text: raw.slice(1, -1) }
  throw new Error(`${file}:${line}: not a line of a dialog: ${JSON.stringify(raw)}`)
}

function readScript(rest: string, line: number, where: string): Step {
  const [, hop, verb, answer = ''] = /^(?:([a-z]+) )?(MAIL|RCPT|DATA) (.+)$/.exec(rest) ?? []
  if (verb === undefined) throw new Error(`${where}: a script is [hop] MAIL|RCPT|DATA and a reply`)
  const parsed = answer === 'hang' ? answer : answer.split(' && ').map((one) => parseReply(one, where))
  return { kind: 'script', line, text: rest, hop, verb: verb as HopVerb, answer: parsed }
}

function parseReply(text: string, where: string): Reply {
  const status = Number(text.slice(0, 3))
  if (!(status >= 200 && status < 600)) throw new Error(`${where}: a reply begins with its status`)
  const lines = text.slice(4).split(' / ').map(expand)
  return { status, text: lines.length === 1 ? (lines[0] ?? '') : lines }
}

function expandOnly(text: string): string {
  return text.replace(/\{([^{}]+)\*(\d+)\}/g, (_, unit: string, count: string) => unit.repeat(Number(count)))
}

/** Files are UTF-8; the wire is bytes, one character each. */
function expand(text: string): string {
  return unescape(expandOnly(Buffer.from(text, 'utf8').toString('latin1')))
}
