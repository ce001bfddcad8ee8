/**
 * What we tell a next hop about our client: the commands of Postfix's XFORWARD
 * and XCLIENT extensions (XFORWARD_README, XCLIENT_README), outbound side.
 *
 * Only attributes that the hop offered are sent, and all of those that we
 * know the meaning of, so that nothing of an earlier client stays in force;
 * what is not known is `[UNAVAILABLE]`. A list that does not fit in one
 * command line of 512 bytes becomes several commands.
 */
import { isIPv6 } from 'node:net'
import { encodeXtext } from './xtext.ts'

/** The client as the commands describe it. */
export interface DescribedClient {
  readonly address: string | undefined
  readonly port: number | undefined
  readonly name: string | undefined
  readonly helo: string | undefined
  readonly protocol: 'SMTP' | 'ESMTP' | 'LMTP'
  readonly login: string | undefined
  readonly source: 'LOCAL' | 'REMOTE'
  readonly ident: string
}

/** RFC 5321 §4.5.3.1.4, with CRLF */
const MAX_COMMAND_BYTES = 512
/** XFORWARD_README, note 1 */
const MAX_VALUE_BYTES = 255
const UNAVAILABLE = '[UNAVAILABLE]'

const VALUES: Readonly<Record<string, (client: DescribedClient, command: 'XFORWARD' | 'XCLIENT') => string | undefined>> = {
  NAME: (client) => client.name,
  ADDR: (client) => client.address === undefined || !isIPv6(client.address) ? client.address : 'IPV6:' + client.address,
  PORT: (client) => client.port?.toString(),
  // XCLIENT knows two protocols; XFORWARD takes any name.
  PROTO: (client, command) => command === 'XCLIENT' && client.protocol === 'LMTP' ? 'ESMTP' : client.protocol,
  HELO: (client) => client.helo,
  LOGIN: (client, command) => command === 'XCLIENT' ? client.login : undefined,
  IDENT: (client) => client.ident,
  SOURCE: (client) => client.source,
}

const ATTRIBUTES = {
  XFORWARD: new Set(['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'IDENT', 'SOURCE']),
  XCLIENT: new Set(['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'LOGIN']),
} as const

/**
 * The command lines, each with CRLF, in the order to send them; none where the
 * hop offered no attribute that we know.
 *
 * @param offered what stood behind the keyword in the EHLO reply
 */
export function clientCommands(command: 'XFORWARD' | 'XCLIENT', offered: string, client: DescribedClient): string[] {
  const lines: string[] = []
  let line = ''
  for (const attribute of new Set(offered.toUpperCase().split(/\s+/))) {
    if (!ATTRIBUTES[command].has(attribute)) continue
    const value = VALUES[attribute]?.(client, command)
    const pair = ` ${attribute}=${attribute === 'LOGIN' ? loginOf(value) : valueOf(value)}`
    if (line !== '' && line.length + pair.length + 2 > MAX_COMMAND_BYTES) {
      lines.push(line + '\r\n')
      line = ''
    }
    line = (line === '' ? command : line) + pair
  }
  if (line !== '') lines.push(line + '\r\n')
  return lines
}

/**
 * A value as it goes on the wire. The hop refuses the whole command for one
 * value that is too long or has white space, control or 8-bit characters or
 * header specials in it; such a value is as good as unknown.
 */
function valueOf(value: string | undefined): string {
  if (value === undefined || value === '' || value.length > MAX_VALUE_BYTES || !/^[!-~]*$/.test(value) || /[<>()\\";@]/.test(value)) return UNAVAILABLE
  const encoded = encodeXtext(value)
  return encoded.length > MAX_VALUE_BYTES ? UNAVAILABLE : encoded
}

/** A login is no host name: `user@domain` and UTF-8 are fine in it. */
function loginOf(login: string | undefined): string {
  if (login === undefined || login === '' || /[\u0000-\u001f\u007f]/.test(login)) return UNAVAILABLE
  const encoded = encodeXtext(login)
  return encoded.length > MAX_VALUE_BYTES ? UNAVAILABLE : encoded
}
