/**
 * A Postfix of the test's own: configuration, queue, data and mail in a
 * temporary directory, the master process in the foreground of its own group.
 * As a next hop it delivers into Maildirs by its virtual(8) agent, which leaves
 * messages as they are; as a sender it relays everything to one port.
 * An Error with its log where it does not answer.
 */
import { appendFileSync, chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../ports.ts'
import { start, temporaryDirectory, untilGreets, type RunningProcess } from '../process.ts'
import type { Certificate } from './certificate.ts'
import { HOP_DOMAIN, MAIL_USER, targetOf, type Hop } from './hop.ts'
import { Mailbox } from './mailbox.ts'
import { account, groupNumber } from './programs.ts'

export interface PostfixOptions {
  /** users of hop.example; nobody else exists */
  readonly users?: readonly string[]
  /** 127.0.0.1 may use XCLIENT and XFORWARD */
  readonly trusting?: boolean
  readonly tls?: Certificate
  /** relay everything to this port on 127.0.0.1 */
  readonly relayTo?: number
  /** further lines of main.cf */
  readonly main?: readonly string[]
  /** further lines of master.cf */
  readonly master?: readonly string[]
}

const QUEUES = ['active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush', 'hold', 'incoming', 'private', 'saved', 'trace']

export async function startPostfix(options: PostfixOptions = {}): Promise<Hop> {
  const directory = temporaryDirectory('postfix')
  const port = await freePort()
  layOut(directory)
  writeFileSync(join(directory, 'etc/main.cf'), mainConfiguration(directory, options).join('\n') + '\n')
  writeFileSync(join(directory, 'etc/master.cf'), [...masterConfiguration(port), ...(options.master ?? [])].join('\n') + '\n')
  const users = options.users ?? ['alice']
  writeFileSync(join(directory, 'etc/users'), users.map((user) => `${user}@${HOP_DOMAIN} ${user}/\n`).join(''))
  const logFile = join(directory, 'log')
  appendFileSync(logFile, '')
  let running: RunningProcess | undefined
  const log = (): string => readFileSync(logFile, 'latin1') + (running?.output() ?? '')
  const begin = async (): Promise<void> => {
    // -d: stay in the foreground, in our process group.
    running = start(['/usr/lib/postfix/sbin/master', '-c', join(directory, 'etc'), '-d'], { env: { MAIL_CONFIG: join(directory, 'etc'), MAIL_LOGTAG: 'postfix' } })
    await untilGreets('postfix', { ...running, output: log }, { port })
  }
  await begin()
  return {
    name: 'postfix',
    address: { port },
    target: targetOf({ port }),
    mailbox: (user) => new Mailbox(join(directory, 'mail', user)),
    log,
    stop: async () => running?.stop(),
    restart: begin,
  }
}

function layOut(directory: string): void {
  const postfix = account('postfix')
  const postdrop = groupNumber('postdrop')
  for (const part of ['etc', 'queue', 'data', 'mail']) mkdirSync(join(directory, part))
  chownSync(join(directory, 'data'), postfix.uid, postfix.gid)
  const mail = account(MAIL_USER)
  chownSync(join(directory, 'mail'), mail.uid, mail.gid)
  for (const queue of QUEUES) {
    mkdirSync(join(directory, 'queue', queue), { mode: 0o700 })
    chownSync(join(directory, 'queue', queue), postfix.uid, postfix.gid)
  }
  mkdirSync(join(directory, 'queue/pid'))
  for (const [name, mode] of [['maildrop', 0o1730], ['public', 0o2710]] as const) {
    mkdirSync(join(directory, 'queue', name))
    chownSync(join(directory, 'queue', name), postfix.uid, postdrop)
    chmodSync(join(directory, 'queue', name), mode)
  }
}

function mainConfiguration(directory: string, options: PostfixOptions): string[] {
  const mail = account(MAIL_USER)
  const lines = [
    'compatibility_level = 3.6',
    `queue_directory = ${directory}/queue`,
    `data_directory = ${directory}/data`,
    `maillog_file = ${directory}/log`,
    `maillog_file_prefixes = ${directory}`,
    'myhostname = postfix.example',
    'mydestination =',
    'mynetworks = 127.0.0.0/8',
    'inet_interfaces = 127.0.0.1',
    'inet_protocols = ipv4',
    'alias_maps =',
    'alias_database =',
    'biff = no',
    'smtpd_client_connection_count_limit = 0',
    'smtpd_peername_lookup = no',
    'smtp_host_lookup = native',
    // What arrives has to be what was sent: no headers rewritten, added or dropped.
    'local_header_rewrite_clients =',
    'message_drop_headers =',
    'message_size_limit = 104857600',
    'virtual_mailbox_limit = 104857600',
    ...(options.main ?? []),
  ]
  if (options.relayTo === undefined) {
    lines.push(`virtual_mailbox_domains = ${HOP_DOMAIN}`, `virtual_mailbox_base = ${directory}/mail`, `virtual_mailbox_maps = texthash:${directory}/etc/users`)
    lines.push(`virtual_uid_maps = static:${mail.uid}`, `virtual_gid_maps = static:${mail.gid}`, 'smtpd_relay_restrictions = reject_unauth_destination', 'mynetworks_style = host')
  } else {
    lines.push(`relayhost = [127.0.0.1]:${options.relayTo}`, 'smtpd_relay_restrictions = permit_mynetworks, reject', 'minimal_backoff_time = 1s', 'queue_run_delay = 1s', 'maximal_backoff_time = 1s')
  }
  if (options.trusting === true) lines.push('smtpd_authorized_xclient_hosts = 127.0.0.1', 'smtpd_authorized_xforward_hosts = 127.0.0.1')
  if (options.tls !== undefined) lines.push('smtpd_tls_security_level = may', `smtpd_tls_cert_file = ${options.tls.certFile}`, `smtpd_tls_key_file = ${options.tls.keyFile}`, 'smtpd_tls_received_header = yes')
  return lines
}

/** Nothing runs in a chroot: the queue directory has no libraries of its own. */
function masterConfiguration(port: number): string[] {
  return [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'rewrite unix - - n - - trivial-rewrite',
    ...['bounce', 'defer', 'trace'].map((name) => `${name} unix - - n - 0 bounce`),
    'verify unix - - n - 1 verify',
    'flush unix n - n 1000? 0 flush',
    'proxymap unix - - n - - proxymap',
    ...['smtp', 'relay'].map((name) => `${name} unix - - n - - smtp`),
    ...['error', 'retry'].map((name) => `${name} unix - - n - - error`),
    'virtual unix - n n - - virtual',
    'anvil unix - - n - 1 anvil',
    'scache unix - - n - 1 scache',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
    'postlog unix-dgram n - n - 1 postlogd',
  ]
}
