/**
 * Checks of what only some listeners have: users who log in (submission), and
 * being transparent (outbound). A key that would do nothing is not accepted.
 */
import { resolve } from 'node:path'
import { checkAuthorities, checkReadable } from './check-files.ts'
import type { CheckContext } from './check-context.ts'
import { isLoopback } from './loops.ts'
import type { HopSection, ListenerSection } from './model.ts'
import { keysOf } from './section.ts'
import { SUBMISSION } from './signing-schema.ts'

const OTHER_ROLES: ReadonlySet<string> = new Set(['hide_client', 'transparent'])

export function checkSubmission(listener: ListenerSection, next: HopSection | undefined, context: CheckContext): void {
  const { values: { role }, at, isGiven } = listener
  const { collector } = context
  if (role === undefined) return
  if (role === 'submission') checkUsers(listener, context)
  else {
    for (const key of keysOf(SUBMISSION)) {
      if (!OTHER_ROLES.has(key) && isGiven(key)) collector.error([...at, ...key.split('.')], 'the key is for listeners whose role is submission', 'leave it out')
    }
  }
  if (role === 'inbound' && isGiven('hide_client')) collector.error([...at, 'hide_client'], 'the key is for listeners whose role is submission or outbound', 'leave it out')
  if (listener.values.transparent === true) checkTransparent(listener, next, context)
}

function checkUsers({ values, at, isGiven }: ListenerSection, context: CheckContext): void {
  const { collector, base } = context
  const { auth, tls, listen = [] } = values
  if (values.protocol === 'lmtp') collector.error([...at, 'protocol'], 'submission is SMTP (RFC 6409)', 'smtp')
  if (values.users === undefined && auth.dovecot === undefined) collector.error(at, 'nobody could log in: there is neither users nor auth.dovecot', 'users: FILE, or auth: { dovecot: unix:/path }')
  if (tls.cert === undefined && !listen.every(isLoopback)) collector.error(at, 'has no tls: passwords would be sent in clear', 'tls: { cert: FILE, key: FILE, mode: implicit } on 465, mode: required on 587 (RFC 8314)')
  else if (tls.cert === undefined) collector.warn(at, 'has no tls: PLAIN and LOGIN are not offered, and users need SCRAM-SHA-256 or CRAM-MD5 secrets')
  else if (tls.mode === 'starttls' && !isGiven('tls.mode')) {
    collector.warn([...at, 'tls', 'mode'], 'clients that do not begin TLS cannot log in; mode: required tells them so (587), mode: implicit begins with it (465)')
  }
  if (values.users !== undefined) checkReadable(resolve(base, values.users), [...at, 'users'], context, `a file that can be read; postern user add NAME --users ${values.users} makes it`)
  if (values.senders !== undefined) checkReadable(resolve(base, values.senders), [...at, 'senders'], context)
  const { client_certificates: certificates, client_ca: authorities, certificate_map: map } = auth
  for (const name of ['client_ca', 'certificate_map'] as const) {
    if (isGiven(`auth.${name}`) && certificates === 'off') collector.error([...at, 'auth', name], 'does nothing without client_certificates', 'client_certificates: accepted or required beside it')
  }
  if (authorities !== undefined) checkAuthorities(resolve(base, authorities), [...at, 'auth', 'client_ca'], context)
  if (map !== undefined) checkReadable(resolve(base, map), [...at, 'auth', 'certificate_map'], context)
  if (certificates !== undefined && certificates !== 'off' && authorities === undefined && map === undefined) {
    collector.error([...at, 'auth', 'client_certificates'], 'no certificate could count: there is neither client_ca nor certificate_map', 'client_ca: FILE, or certificate_map: FILE with fingerprints')
  }
}

function checkTransparent({ values, at, isGiven }: ListenerSection, next: HopSection | undefined, { collector }: CheckContext): void {
  const key = [...at, 'transparent']
  if (values.role !== 'outbound') return collector.error(key, 'the key is for listeners whose role is outbound', 'leave it out')
  if (values.protocol === 'lmtp') collector.error(key, 'speaks SMTP', 'protocol: smtp')
  for (const name of ['tls', 'trust', 'received', 'hide_client'] as const) {
    if (isGiven(name) || ['cert', 'proxy', 'xclient', 'xforward'].some((inner) => isGiven(`${name}.${inner}`))) {
      collector.error([...at, name], 'does nothing with transparent: true, where every command passes as it is', 'leave it out')
    }
  }
  if (next === undefined) return
  if (next.kind !== 'smtp') return collector.error([...at, 'next'], `hop "${next.name}" is not one of smtp`, 'a hop with smtp')
  const { section } = next
  if ((section.values.smtp ?? []).length > 1) collector.error([...at, 'next'], `hop "${next.name}" has several addresses`, 'a hop with one address')
  if (section.values.tls !== undefined && section.values.tls !== 'off') collector.error([...at, 'next'], `hop "${next.name}" has tls: ${section.values.tls}, which would not be used`, 'a hop without tls')
  for (const name of ['user', 'sender_logins', 'xclient', 'xforward']) {
    if (section.isGiven(name)) collector.error([...at, 'next'], `hop "${next.name}" has ${name}, which would not be used`, 'a hop without it')
  }
}
