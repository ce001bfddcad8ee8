/**
 * An OpenSMTPD of the test's own. Its helpers, spool and sockets have places
 * that are compiled in, so it runs in a mount namespace in which those places
 * are ours; nothing outside sees them. It delivers into Maildirs.
 * An Error with its output where it does not answer.
 */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../ports.ts'
import { start, temporaryDirectory, untilGreets, type RunningProcess } from '../process.ts'
import type { Certificate } from './certificate.ts'
import { HOP_DOMAIN, MAIL_USER, targetOf, type Hop } from './hop.ts'
import { Mailbox } from './mailbox.ts'
import { OPENSMTPD, OPENSMTPD_HELPERS, account, groupNumber } from './programs.ts'

export interface OpenSmtpdOptions {
  readonly users?: readonly string[]
  /** hands mail to this LMTP socket instead of storing it */
  readonly lmtp?: string
  /** a signer on the one port, which hands mail back on the other (set-up A) */
  readonly signer?: { readonly port: number; readonly back: number }
  /** domains beside hop.example */
  readonly domains?: readonly string[]
  /** further lines of the table of virtual users: an address or `@domain`, and where its mail goes */
  readonly virtual?: Readonly<Record<string, string>>
  /** takes mail under TLS only, from nobody but these: passwords, as crypt(3) has them, by user */
  readonly submission?: { readonly tls: Certificate; readonly logins: Readonly<Record<string, string>> }
}

export async function startOpenSmtpd(options: OpenSmtpdOptions = {}): Promise<Hop> {
  const directory = temporaryDirectory('opensmtpd')
  const port = await freePort()
  layOut(directory)
  const users = options.users ?? ['alice']
  const virtual = [...users.map((user) => [`${user}@${HOP_DOMAIN}`, MAIL_USER] as const), ...Object.entries(options.virtual ?? {})]
  writeFileSync(join(directory, 'users'), virtual.map(([from, to]) => `${from} ${to}\n`).join(''))
  writeFileSync(join(directory, 'logins'), Object.entries(options.submission?.logins ?? {}).map(([user, hash]) => `${user} ${hash}\n`).join(''))
  writeFileSync(join(directory, 'smtpd.conf'), configuration(directory, port, options).join('\n') + '\n')
  // `exec` so that the group's leader is smtpd itself.
  const script = [
    'set -e',
    `mount --bind ${directory}/spool /var/spool/smtpd`,
    `mount --bind ${OPENSMTPD_HELPERS} /usr/libexec/opensmtpd`,
    `mount --bind ${directory}/run /run`,
    `exec ${OPENSMTPD} -d -f ${directory}/smtpd.conf`,
  ].join('\n')
  let running: RunningProcess | undefined
  const earlier: string[] = []
  const log = (): string => earlier.join('') + (running?.output() ?? '')
  const begin = async (): Promise<void> => {
    if (running !== undefined) earlier.push(running.output())
    running = start(['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script])
    await untilGreets('opensmtpd', { ...running, output: log }, { port })
  }
  await begin()
  return {
    name: 'opensmtpd',
    address: { port },
    target: targetOf({ port }),
    mailbox: (user) => new Mailbox(join(directory, 'mail', user)),
    log,
    stop: async () => running?.stop(),
    restart: begin,
  }
}

/** smtpd refuses to start where a part of its spool has another owner or mode. */
function layOut(directory: string): void {
  const mail = account(MAIL_USER)
  for (const part of ['mail', 'run', 'spool']) mkdirSync(join(directory, part))
  chownSync(join(directory, 'mail'), mail.uid, mail.gid)
  const queueUser = account('opensmtpq').uid
  const spool = join(directory, 'spool')
  chmodSync(spool, 0o711)
  const parts = [['queue', queueUser, 0, 0o700], ['corrupt', queueUser, 0, 0o700], ['incoming', queueUser, 0, 0o700], ['purge', queueUser, 0, 0o700], ['temporary', queueUser, 0, 0o700], ['offline', 0, groupNumber('opensmtpq'), 0o770]] as const
  for (const [name, uid, gid, mode] of parts) {
    mkdirSync(join(spool, name))
    chownSync(join(spool, name), uid, gid)
    chmodSync(join(spool, name), mode)
  }
}

function configuration(directory: string, port: number, { lmtp, domains = [], submission, signer }: OpenSmtpdOptions): string[] {
  const pki = submission === undefined ? [] : [`table logins file:${directory}/logins`, `pki test cert "${submission.tls.certFile}"`, `pki test key "${submission.tls.keyFile}"`]
  return [
    ...pki,
    `table users file:${directory}/users`,
    'smtp max-message-size 100M',
    `listen on 127.0.0.1 port ${port} hostname opensmtpd.example${submission === undefined ? '' : ' tls-require pki test auth <logins>'}`,
    `action "store" ${lmtp === undefined ? `maildir "${directory}/mail/%{rcpt.user}"` : `lmtp "${lmtp}" rcpt-to`} virtual <users>`,
    ...(signer === undefined ? [] : [`listen on 127.0.0.1 port ${signer.back} hostname opensmtpd.example tag "SIGNED"`, `action "SIGN" relay host "smtp://127.0.0.1:${signer.port}"`]),
    ...[HOP_DOMAIN, ...domains].map((domain) => `match ${signer === undefined ? '' : 'tag "SIGNED" '}from ${submission === undefined ? 'any' : 'auth'} for domain "${domain}" action "store"`),
    ...(signer === undefined ? [] : ['match from any for any action "SIGN"']),
  ]
}
