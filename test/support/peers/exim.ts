/**
 * An Exim of the test's own, run from where install-peers unpacked it, with its
 * own configuration file and spool. As a next hop it delivers into Maildirs; as
 * a sender it relays everything to one port, with BDAT where that is offered
 * (RFC 3030; the one client among Debian's mail servers that uses it).
 * An Error with its log where it does not answer.
 */
import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../ports.ts'
import { start, temporaryDirectory, untilGreets, type RunningProcess } from '../process.ts'
import type { Certificate } from './certificate.ts'
import { HOP_DOMAIN, targetOf, type Hop } from './hop.ts'
import { Mailbox } from './mailbox.ts'
import { EXIM, account } from './programs.ts'

export interface EximOptions {
  readonly users?: readonly string[]
  readonly relayTo?: number
  readonly tls?: Certificate
  /** a local part with a suffix that begins so, as `+*`, is that of the user */
  readonly suffixes?: readonly string[]
  /** what aliases lead to: users and addresses, with commas between them */
  readonly aliases?: Readonly<Record<string, string>>
  /** adds Delivery-date, Envelope-to and Return-path */
  readonly deliveryFields?: boolean
  /** takes mail from nobody but these, by PLAIN, LOGIN or CRAM-MD5: passwords by user */
  readonly logins?: Readonly<Record<string, string>>
}

export async function startExim(options: EximOptions = {}): Promise<Hop> {
  const directory = temporaryDirectory('exim')
  const port = await freePort()
  const exim = account('Debian-exim')
  for (const part of ['spool', 'log', 'mail']) mkdirSync(join(directory, part))
  for (const part of ['spool', 'log', 'mail']) chownSync(join(directory, part), exim.uid, exim.gid)
  writeFileSync(join(directory, 'users'), (options.users ?? ['alice']).map((user) => `${user}: there\n`).join(''))
  writeFileSync(join(directory, 'aliases'), Object.entries(options.aliases ?? {}).map(([name, to]) => `${name}: ${to}\n`).join(''))
  writeFileSync(join(directory, 'logins'), Object.entries(options.logins ?? {}).map(([user, password]) => `${user}: ${password}\n`).join(''))
  writeFileSync(join(directory, 'exim.conf'), configuration(directory, port, options).join('\n') + '\n')
  let running: RunningProcess | undefined
  const logged = (name: string): string => {
    const file = join(directory, 'log', name)
    return existsSync(file) ? readFileSync(file, 'latin1') : ''
  }
  const log = (): string => logged('mainlog') + logged('paniclog') + (running?.output() ?? '')
  const begin = async (): Promise<void> => {
    running = start([EXIM, '-C', join(directory, 'exim.conf'), '-bdf', '-q2s', '-oX', `127.0.0.1.${port}`])
    await untilGreets('exim', { ...running, output: log }, { port })
  }
  await begin()
  return {
    name: 'exim',
    address: { port },
    target: targetOf({ port }),
    mailbox: (user) => new Mailbox(join(directory, 'mail', user)),
    log,
    stop: async () => running?.stop(),
    restart: begin,
  }
}

function configuration(directory: string, port: number, options: EximOptions): string[] {
  const common = [
    'primary_hostname = exim.example',
    `spool_directory = ${directory}/spool`,
    // What it runs itself as, for each delivery; otherwise the place compiled in.
    `exim_path = ${EXIM}`,
    `log_file_path = ${directory}/log/%slog`,
    `pid_file_path = ${directory}/exim.pid`,
    `daemon_smtp_ports = ${port}`,
    'local_interfaces = 127.0.0.1',
    'disable_ipv6 = true',
    `domainlist local_domains = ${options.relayTo === undefined ? HOP_DOMAIN : ''}`,
    'host_lookup =',
    'rfc1413_query_timeout = 0s',
    'smtp_accept_max = 0',
    'smtp_accept_queue_per_connection = 0',
    'message_size_limit = 100M',
    'accept_8bitmime = true',
    'chunking_advertise_hosts = *',
    'pipelining_advertise_hosts = *',
    // What arrives has to be what was sent.
    'return_path_remove = false',
    'envelope_to_remove = false',
    'delivery_date_remove = false',
    'acl_smtp_rcpt = rcpt',
    'acl_smtp_data = accept',
    // With a configuration file that is not the compiled-in one Exim gives up root: it delivers as itself.
    'deliver_drop_privilege = true',
    'keep_environment =',
    'add_environment = PATH=/usr/bin:/bin',
    ...(options.tls === undefined ? ['tls_advertise_hosts ='] : ['tls_advertise_hosts = *', `tls_certificate = ${options.tls.certFile}`, `tls_privatekey = ${options.tls.keyFile}`]),
    'begin acl',
    'rcpt:',
  ]
  return options.relayTo === undefined ? [...common, ...delivering(directory, options)] : [...common, ...relaying(options.relayTo)]
}

function delivering(directory: string, { suffixes = [], aliases = {}, deliveryFields = false, logins }: EximOptions): string[] {
  return [
    ...(logins === undefined ? [] : ['  deny !authenticated = *', '       message = log in first']),
    '  require domains = +local_domains',
    '          message = relay not permitted',
    '  require verify = recipient',
    '  accept',
    'begin routers',
    ...(Object.keys(aliases).length === 0 ? [] : ['aliases:', '  driver = redirect', '  domains = +local_domains', `  data = \${lookup{$local_part}lsearch{${directory}/aliases}}`, `  qualify_domain = ${HOP_DOMAIN}`]),
    'users:',
    '  driver = accept',
    '  domains = +local_domains',
    ...(suffixes.length === 0 ? [] : [`  local_part_suffix = ${suffixes.join(' : ')}`, '  local_part_suffix_optional']),
    `  condition = \${lookup{$local_part}lsearch{${directory}/users}{yes}{no}}`,
    '  transport = maildir',
    'begin transports',
    'maildir:',
    '  driver = appendfile',
    // Exim builds no path from what a stranger wrote: the looked-up name is not his any more.
    `  directory = ${directory}/mail/\${lookup{$local_part}lsearch,ret=key{${directory}/users}}`,
    '  maildir_format',
    '  create_directory',
    ...(deliveryFields ? ['  delivery_date_add', '  envelope_to_add', '  return_path_add'] : []),
    'begin retry',
    '* * F,1h,1s',
    ...(logins === undefined ? [] : authenticators(directory)),
  ]
}

function authenticators(directory: string): string[] {
  const password = (user: string): string => `\${lookup{${user}}lsearch{${directory}/logins}{$value}fail}`
  return [
    'begin authenticators',
    'plain:', '  driver = plaintext', '  public_name = PLAIN', '  server_prompts = :', `  server_condition = \${if eq{$auth3}{${password('$auth2')}}}`, '  server_set_id = $auth2',
    'login:', '  driver = plaintext', '  public_name = LOGIN', '  server_prompts = Username:: : Password::', `  server_condition = \${if eq{$auth2}{${password('$auth1')}}}`, '  server_set_id = $auth1',
    'cram:', '  driver = cram_md5', '  public_name = CRAM-MD5', `  server_secret = ${password('$auth1')}`, '  server_set_id = $auth1',
  ]
}

function relaying(port: number): string[] {
  return [
    '  accept',
    'begin routers',
    'relay:',
    '  driver = manualroute',
    '  route_list = * 127.0.0.1',
    '  self = send',
    '  transport = smtp',
    'begin transports',
    'smtp:',
    '  driver = smtp',
    `  port = ${port}`,
    '  hosts_try_chunking = *',
    '  hosts_avoid_tls = *',
    '  allow_localhost',
    'begin retry',
    '* * F,1h,1s',
  ]
}
