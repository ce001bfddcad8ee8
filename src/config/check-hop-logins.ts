/**
 * How a hop is spoken to where we log in: TLS by default, credentials whole, no
 * password over a connection that somebody else could read.
 */
import { resolve } from 'node:path'
import { checkReadable } from './check-files.ts'
import type { CheckContext } from './check-context.ts'
import { isLoopback } from './loops.ts'
import type { ReadableOf } from './leaf.ts'
import type { LMTP_HOP, SMTP_HOP } from './schema.ts'
import type { Section } from './section.ts'
import type { HopTlsSettings, SocketAddress } from './settings.ts'

type RelayValues = ReadableOf<typeof SMTP_HOP> | ReadableOf<typeof LMTP_HOP>

/** Whether a hop is told who we are. */
export function logsIn(values: RelayValues): boolean {
  return 'smtp' in values && (values.user !== undefined || (values.sender_logins ?? []).length > 0)
}

/** Whether all that is spoken to is on this machine: the hop's hosts, and the senders' own. */
function isLocal(values: RelayValues, addresses: readonly SocketAddress[]): boolean {
  const others = 'smtp' in values ? (values.sender_logins ?? []).flatMap((one) => one.addresses ?? []) : []
  return [...addresses, ...others].every(isLoopback)
}

/** What `tls` is where it is not set: one mode for all hosts, the strictest that one of them needs. */
export function defaultTls(values: RelayValues, addresses: readonly SocketAddress[]): HopTlsSettings['mode'] {
  if (isLocal(values, addresses)) return 'off'
  return logsIn(values) ? 'required' : 'opportunistic'
}

export function checkHopLogins({ values, at, isGiven }: Section<typeof SMTP_HOP>, addresses: readonly SocketAddress[] | undefined, context: CheckContext): void {
  const { collector, base } = context
  if (isGiven('user') !== isGiven('password_file')) {
    const [given, missing] = isGiven('user') ? ['user', 'password_file'] : ['password_file', 'user']
    collector.error([...at, given], `${given} stands without ${missing}`, 'both, or neither')
  }
  const files = [
    { path: values.password_file, key: [...at, 'password_file'] },
    ...(values.sender_logins ?? []).map(({ passwordFile }, i) => ({ path: passwordFile, key: [...at, 'sender_logins', i, 'password_file'] })),
  ]
  for (const { path, key } of files) if (path !== undefined) checkReadable(resolve(base, path), key, context)
  const senders = new Set<string>()
  for (const [i, { sender }] of (values.sender_logins ?? []).entries()) {
    if (senders.has(sender)) collector.error([...at, 'sender_logins', i, 'sender'], `${sender} stands twice`, 'each sender once')
    senders.add(sender)
  }
  if (logsIn(values) && values.xclient === true) collector.error([...at, 'xclient'], 'true with user: XCLIENT ends our login at the hop', 'one of them')
  if (!logsIn(values) || addresses === undefined || isLocal(values, addresses)) return
  const tls = values.tls ?? defaultTls(values, addresses)
  if (tls !== 'required' && tls !== 'implicit') collector.error([...at, 'tls'], `${tls} with user: others could read the password`, 'required, implicit')
  if (values.tls_verify === false) collector.error([...at, 'tls_verify'], 'false with user: whoever answers would get the password', 'true; tls_name and tls_ca for a certificate of your own')
}
