/**
 * Which real programs are on this machine, and where. A test that needs one
 * says so with `missing(...)`: a reason to skip, or false. With
 * POSTERN_INTEROP=required nothing is skipped: a missing program is an error.
 *
 * Exim and OpenSMTPD lie where test/support/install-peers unpacked them.
 */
import { execFileSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { join } from 'node:path'

const unpacked = process.env['POSTERN_PEERS'] ?? '/var/cache/postern-peers'

export const EXIM = join(unpacked, 'exim4-daemon-light/usr/sbin/exim4')
export const OPENSMTPD = join(unpacked, 'opensmtpd/usr/sbin/smtpd')
export const OPENSMTPD_HELPERS = join(unpacked, 'opensmtpd/usr/libexec/opensmtpd')

const paths = { exim: EXIM, opensmtpd: OPENSMTPD, postfix: '/usr/sbin/postfix', 'smtp-sink': '/usr/sbin/smtp-sink', dovecot: '/usr/sbin/dovecot', 'dovecot-lmtp': '/usr/lib/dovecot/lmtp', doveadm: '/usr/bin/doveadm', unbound: '/usr/sbin/unbound', opendkim: '/usr/sbin/opendkim', dkimsign: '/usr/bin/dkimsign', arcsign: '/usr/bin/arcsign', rspamd: '/usr/bin/rspamd', spamd: '/usr/sbin/spamd', clamd: '/usr/sbin/clamd', sievec: '/usr/bin/sievec', 'dovecot-imap': '/usr/lib/dovecot/imap' }
export type Program = keyof typeof paths | 'swaks' | 'redis-server' | 'msmtp' | 'curl' | 'python3' | 'openssl' | 'unshare' | 'setpriv' | 'mutt' | 'script' | 'gsasl'

/** Daemons that change their user can only be started by root. */
const asRoot: ReadonlySet<string> = new Set(['exim', 'opensmtpd', 'postfix', 'smtp-sink', 'dovecot', 'spamd'])

export function missing(...programs: readonly Program[]): string | false {
  const reasons = programs.map(reason).filter((text) => text !== undefined)
  if (reasons.length === 0) return false
  const text = reasons.join('; ')
  if (process.env['POSTERN_INTEROP'] === 'required') throw new Error(`POSTERN_INTEROP=required, but ${text}`)
  return text
}

function reason(program: Program): string | undefined {
  if (!isThere(program)) return `${program} is not installed (test/support/install-peers)`
  if (asRoot.has(program) && process.getuid?.() !== 0) return `${program} has to be started by root`
  if (program === 'opensmtpd' && !canUnshare()) return 'opensmtpd needs a mount namespace of its own (unshare --mount)'
  return undefined
}

function isThere(program: Program): boolean {
  const path = (paths as Readonly<Record<string, string>>)[program]
  const places = path === undefined ? `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`.split(':').map((directory) => join(directory, program)) : [path]
  return places.some((place) => {
    try {
      accessSync(place, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

let unshares: boolean | undefined
function canUnshare(): boolean {
  if (unshares === undefined) {
    try {
      execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' })
      unshares = true
    } catch {
      unshares = false
    }
  }
  return unshares
}

/** Numbers of a user and its group, from /etc/passwd. */
export function account(name: string): { readonly uid: number; readonly gid: number } {
  const line = readFileSync('/etc/passwd', 'latin1').split('\n').find((entry) => entry.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  if (uid === undefined || gid === undefined) throw new Error(`no user ${name} on this machine`)
  return { uid: Number(uid), gid: Number(gid) }
}

export function groupNumber(name: string): number {
  const line = readFileSync('/etc/group', 'latin1').split('\n').find((entry) => entry.startsWith(`${name}:`))
  const gid = line?.split(':')[2]
  if (gid === undefined) throw new Error(`no group ${name} on this machine`)
  return Number(gid)
}
