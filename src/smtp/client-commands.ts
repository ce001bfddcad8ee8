/**
 * MAIL and RCPT as a client sends them on (RFC 5321 §4.1.1.2, §4.1.1.3): the
 * paths as they came, and the parameters as far as the server offers what they
 * need. A parameter that it cannot take is never left out in silence: the
 * command is then `unsupported`, but for SIZE, which is only a hint (RFC 1870
 * §6.1), and BODY=7BIT, which is what holds without it (RFC 6152 §3).
 *
 * A parameter of no extension known here is passed: the server answers for it.
 *
 * AUTH= (RFC 4954 §5) is said where we have authenticated to the server, and
 * always there: `<>` says that we vouch for ourselves, not for the sender.
 * Servers refuse it of others (Postfix: 503), and it is no loss to them.
 */
import { UNKNOWN_SUBMITTER } from './auth-parameter.ts'
import type { Capabilities } from './capabilities.ts'
import { parameter, type EnvelopePath, type Parameter } from './envelope.ts'

export type ClientCommand =
  | { readonly status: 'line', readonly line: string }
  /** what the transaction asks for and the server does not offer */
  | { readonly status: 'unsupported', readonly keyword: string }
  /** a CR, LF or NUL in what should have been parsed: it would be another command on the wire */
  | { readonly status: 'unsafe' }

const NEEDS: Readonly<Record<string, string>> = {
  SMTPUTF8: 'SMTPUTF8', // RFC 6531 §3.4
  RET: 'DSN', ENVID: 'DSN', NOTIFY: 'DSN', ORCPT: 'DSN', // RFC 3461 §4
  REQUIRETLS: 'REQUIRETLS', // RFC 8689 §2; offered to us only under verified TLS
  BY: 'DELIVERBY', // RFC 2852 §4
  MTRK: 'MTRK', // RFC 3885 §3
  HOLDFOR: 'FUTURERELEASE', HOLDUNTIL: 'FUTURERELEASE', // RFC 4865 §5
  'MT-PRIORITY': 'MT-PRIORITY', // RFC 6710 §4
  RRVS: 'RRVS', // RFC 7293 §3.1
}

/** @param authenticated we are, to this server */
export function mailCommand(sender: EnvelopePath, offered: Capabilities, authenticated = false): ClientCommand {
  const submitter = parameter(sender, 'AUTH')
  if (!authenticated && submitter === undefined) return command('MAIL FROM:', sender, offered)
  const parameters = sender.parameters.filter((one) => one !== submitter)
  if (authenticated) parameters.push({ keyword: 'AUTH', value: submitter?.value ?? UNKNOWN_SUBMITTER })
  return command('MAIL FROM:', { ...sender, parameters }, offered)
}

export function rcptCommand(recipient: EnvelopePath, offered: Capabilities): ClientCommand {
  return command('RCPT TO:', recipient, offered)
}

function command(verb: string, path: EnvelopePath, offered: Capabilities): ClientCommand {
  let line = verb + path.path.wire
  for (const parameter of path.parameters) {
    const lacking = lacks(parameter, offered)
    if (lacking === 'leave-out') continue
    if (lacking !== undefined) return { status: 'unsupported', keyword: lacking }
    line += parameter.value === null ? ` ${parameter.keyword}` : ` ${parameter.keyword}=${parameter.value}`
  }
  if (/[\r\n\0]/.test(line)) return { status: 'unsafe' }
  return { status: 'line', line: line + '\r\n' }
}

/** The keyword that the server lacks for a parameter; 'leave-out' where the parameter can go; undefined where all is well. */
function lacks(parameter: Parameter, offered: Capabilities): string | undefined {
  if (parameter.keyword === 'SIZE') return offered.has('SIZE') ? undefined : 'leave-out'
  if (parameter.keyword === 'BODY') return lacksBody(parameter.value?.toUpperCase() ?? '', offered)
  const needed = NEEDS[parameter.keyword]
  return needed === undefined || offered.has(needed) ? undefined : needed
}

function lacksBody(body: string, offered: Capabilities): string | undefined {
  if (body === '7BIT') return offered.has('8BITMIME') ? undefined : 'leave-out'
  if (body === 'BINARYMIME') return ['BINARYMIME', 'CHUNKING'].find((keyword) => !offered.has(keyword)) // RFC 3030 §3
  return offered.has('8BITMIME') ? undefined : '8BITMIME'
}
