/**
 * Parses one command line of a client (RFC 5321 §4.1.1, and the extensions that
 * add commands: RFC 2033, 3030, 3207, 4954, Postfix's XCLIENT and XFORWARD).
 *
 * The line is a binary string without its CRLF. What cannot be understood comes
 * back as `malformed` with the reply to give, or as `unknown`; nothing throws.
 */
import { parsePath } from './address.ts'
import type { EnvelopePath, Parameter } from './envelope.ts'
import type { Reply } from './reply.ts'
import * as replies from './reply-catalogue.ts'

export type Command =
  | { readonly verb: 'HELO' | 'EHLO' | 'LHLO'; readonly name: string }
  | { readonly verb: 'MAIL' | 'RCPT'; readonly envelope: EnvelopePath }
  | { readonly verb: 'DATA' | 'QUIT' | 'STARTTLS' }
  | { readonly verb: 'RSET' | 'NOOP' | 'HELP' | 'VRFY' | 'EXPN' }
  | { readonly verb: 'BDAT'; readonly octets: number; readonly last: boolean }
  /** `initial`: as it came, base64 or `=`; null: no initial response */
  | { readonly verb: 'AUTH'; readonly mechanism: string; readonly initial: string | null }
  | { readonly verb: 'XCLIENT'; readonly attributes: string }
  | { readonly verb: 'XFORWARD'; readonly attributes: string }
  | { readonly verb: 'unknown' }
  | { readonly verb: 'malformed'; readonly reply: Reply; /** the line cannot be skipped safely */ readonly fatal: boolean }

/** More parameters than any extension can need are a mistake or an attack. */
const MAX_PARAMETERS = 20
/** RFC 5321 §4.5.3.1.2; the name becomes part of a header line */
const MAX_NAME_BYTES = 255
const UNKNOWN: Command = { verb: 'unknown' }

export function parseCommand(line: string): Command {
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(line)) return malformed(replies.BAD_CHARACTER)
  const space = line.indexOf(' ')
  const verb = (space < 0 ? line : line.slice(0, space)).toUpperCase()
  const rest = space < 0 ? '' : line.slice(space + 1)
  switch (verb) {
    case 'MAIL':
    case 'RCPT':
      return parseEnvelope(verb, rest)
    case 'DATA':
    case 'RSET':
    case 'QUIT':
    case 'STARTTLS':
      return rest.trim() === '' ? { verb } : malformed(replies.NO_PARAMETERS)
    case 'HELO':
    case 'EHLO':
    case 'LHLO':
      return parseHello(verb, rest.trim())
    case 'BDAT':
      return parseBdat(rest.trim())
    case 'AUTH':
      return parseAuth(rest.trim())
    case 'NOOP':
    case 'HELP':
    case 'EXPN':
      return { verb }
    case 'VRFY':
      return rest.trim() === '' ? malformed(replies.syntax('VRFY address')) : { verb }
    case 'XCLIENT':
    case 'XFORWARD':
      return { verb, attributes: rest.trim() }
    default:
      return UNKNOWN
  }
}

function parseHello(verb: 'HELO' | 'EHLO' | 'LHLO', name: string): Command {
  if (name === '' || name.length > MAX_NAME_BYTES || /[^\x21-\x7e]/.test(name)) return malformed(replies.syntax(`${verb} your.host.name`))
  return { verb, name }
}

/** RFC 4954 §4, RFC 4422 §3.1: a mechanism's name has at most 20 characters. */
function parseAuth(rest: string): Command {
  const match = /^([A-Za-z0-9_-]{1,20})(?: +([^ ]+))?$/.exec(rest)
  if (match === null) return malformed(replies.syntax('AUTH mechanism [initial-response]'))
  return { verb: 'AUTH', mechanism: (match[1] ?? '').toUpperCase(), initial: match[2] ?? null }
}

/** RFC 3030 §2. A chunk of unknown length follows a malformed BDAT: nothing behind it can be read as a command. */
function parseBdat(rest: string): Command {
  const match = /^(\d{1,15})(?: +(LAST))?$/i.exec(rest)
  if (match === null) return { verb: 'malformed', reply: replies.BDAT_SYNTAX, fatal: true }
  return { verb: 'BDAT', octets: Number(match[1]), last: match[2] !== undefined }
}

function parseEnvelope(verb: 'MAIL' | 'RCPT', rest: string): Command {
  const keyword = verb === 'MAIL' ? 'FROM:' : 'TO:'
  const text = rest.trimStart()
  if (text.slice(0, keyword.length).toUpperCase() !== keyword) return malformed(replies.syntax(`${verb} ${keyword}<address>`))
  const result = parsePath(text, keyword.length)
  if (result.status === 'malformed') return malformed(replies.badAddress(verb, `Bad address: ${result.why}`))
  if (verb === 'RCPT' && result.path.mailbox === null) return malformed(replies.badAddress(verb, 'Bad address: <> is no recipient'))
  const parameters = result.end === text.length ? NO_PARAMETERS : parseParameters(text.slice(result.end))
  if (!Array.isArray(parameters)) return malformed(parameters)
  return { verb, envelope: { path: result.path, parameters } }
}

const NO_PARAMETERS: Parameter[] = []

/** RFC 5321 §4.1.2: esmtp-param = esmtp-keyword ["=" esmtp-value] */
function parseParameters(text: string): Parameter[] | Reply {
  const found: Parameter[] = []
  for (const word of text.split(' ')) {
    if (word === '') continue
    const equals = word.indexOf('=')
    const keyword = (equals < 0 ? word : word.slice(0, equals)).toUpperCase()
    if (!/^[A-Z0-9][A-Z0-9-]*$/.test(keyword)) return replies.syntax('parameters have the form KEYWORD=value')
    if (found.some((p) => p.keyword === keyword)) return replies.parameterTwice(keyword)
    if (found.length >= MAX_PARAMETERS) return replies.syntax(`at most ${MAX_PARAMETERS} parameters`)
    found.push({ keyword, value: equals < 0 ? null : word.slice(equals + 1) })
  }
  return found
}

function malformed(reply: Reply): Command {
  return { verb: 'malformed', reply, fatal: false }
}
