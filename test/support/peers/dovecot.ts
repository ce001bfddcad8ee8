/**
 * A Dovecot of the test's own that speaks LMTP, over TCP or a unix socket,
 * and delivers into Maildirs of virtual users. Its message stays as it came
 * under a Return-Path, Delivered-To and Received of its own (RFC 2033). If it
 * is asked to, a Sieve script sorts what is delivered (Pigeonhole), and it
 * speaks IMAP. An Error with its log where it does not answer.
 */
import { appendFileSync, chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../ports.ts'
import { run, start, temporaryDirectory, until, untilGreets, type Address, type RunningProcess } from '../process.ts'
import { HOP_DOMAIN, MAIL_USER, targetOf, type Hop } from './hop.ts'
import { accepts } from './listening.ts'
import { Mailbox } from './mailbox.ts'
import { account } from './programs.ts'

export interface DovecotOptions {
  readonly users?: readonly string[]
  readonly over: 'tcp' | 'unix'
  /** a Sieve script for everybody */
  readonly sieve?: string
  /** for IMAP, on loopback without TLS; everybody's password is IMAP_PASSWORD */
  readonly imap?: boolean
}

export interface Dovecot extends Hop {
  /** 0: it speaks no IMAP */
  readonly imapPort: number
}

export const IMAP_PASSWORD = 'hush'

interface Places {
  readonly directory: string
  readonly address: Address
  readonly imapPort: number
}

export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  const directory = temporaryDirectory('dovecot')
  const address: Address = options.over === 'tcp' ? { port: await freePort() } : { path: join(directory, 'lmtp.sock') }
  const imapPort = options.imap === true ? await freePort() : 0
  const mail = account(MAIL_USER)
  mkdirSync(join(directory, 'mail'))
  chownSync(join(directory, 'mail'), mail.uid, mail.gid)
  // Dovecot's own processes run as other users and look into it.
  mkdirSync(join(directory, 'run'))
  chmodSync(join(directory, 'run'), 0o755)
  const users = options.users ?? ['alice']
  writeFileSync(join(directory, 'users'), users.map((user) => `${user}@${HOP_DOMAIN}:{PLAIN}${IMAP_PASSWORD}::::::\n`).join(''), { mode: 0o644 })
  writeFileSync(join(directory, 'dovecot.conf'), configuration({ directory, address, imapPort }, options.sieve !== undefined).join('\n') + '\n')
  if (options.sieve !== undefined) await compileSieve(directory, options.sieve)
  const logFile = join(directory, 'log')
  appendFileSync(logFile, '')
  let running: RunningProcess | undefined
  const log = (): string => readFileSync(logFile, 'latin1') + (running?.output() ?? '')
  const begin = async (): Promise<void> => {
    running = start(['dovecot', '-F', '-c', join(directory, 'dovecot.conf')])
    await untilGreets('dovecot', { ...running, output: log }, address)
    if (imapPort > 0) await until('dovecot speaks IMAP', () => accepts({ host: '127.0.0.1', port: imapPort }), { detail: log })
  }
  await begin()
  return {
    name: `dovecot (${options.over})`,
    address,
    imapPort,
    target: targetOf(address),
    mailbox: (user) => new Mailbox(join(directory, 'mail', HOP_DOMAIN, user)),
    log,
    stop: async () => running?.stop(),
    restart: begin,
  }
}

/** Who delivers may not write beside the script, where Pigeonhole would keep what it makes of it. */
async function compileSieve(directory: string, script: string): Promise<void> {
  writeFileSync(join(directory, 'sorted.sieve'), script)
  const { code, output } = await run(['sievec', '-c', join(directory, 'dovecot.conf'), join(directory, 'sorted.sieve')])
  if (code !== 0) throw new Error(`sievec:\n${output}`)
}

function configuration({ directory, address, imapPort }: Places, sorted: boolean): string[] {
  const mail = account(MAIL_USER)
  const listener = 'port' in address ? [`  inet_listener lmtp {`, '    address = 127.0.0.1', `    port = ${address.port}`, '  }'] : [`  unix_listener ${address.path} {`, '    mode = 0666', '  }']
  return [
    `protocols = lmtp${imapPort > 0 ? ' imap' : ''}`,
    `base_dir = ${directory}/run`,
    `state_dir = ${directory}/run`,
    `log_path = ${directory}/log`,
    'hostname = dovecot.example',
    'postmaster_address = postmaster@hop.example',
    'ssl = no',
    `mail_location = maildir:${directory}/mail/%d/%n`,
    `mail_uid = ${mail.uid}`,
    `mail_gid = ${mail.gid}`,
    'first_valid_uid = 1',
    'first_valid_gid = 1',
    'passdb {',
    '  driver = passwd-file',
    `  args = ${directory}/users`,
    '}',
    'userdb {',
    '  driver = passwd-file',
    `  args = username_format=%u ${directory}/users`,
    `  override_fields = uid=${mail.uid} gid=${mail.gid} home=${directory}/mail/%d/%n`,
    '}',
    'service lmtp {',
    ...listener,
    '}',
    ...(sorted ? ['protocol lmtp {', '  mail_plugins = $mail_plugins sieve', '}', 'plugin {', `  sieve = file:${directory}/mail/%d/%n/sieve;active=${directory}/mail/%d/%n/.sieve`, `  sieve_before = ${directory}/sorted.sieve`, '}'] : []),
    ...(sorted || imapPort > 0 ? FOLDERS : []),
    ...(imapPort > 0 ? imapLines(imapPort) : []),
    // Nobody but the tests' hops listens here.
    'service anvil {',
    '  chroot =',
    '}',
    'service stats {',
    '  chroot =',
    '}',
  ]
}

const FOLDERS = ['namespace inbox {', '  inbox = yes', ...['Junk', 'Archive'].flatMap((name) => [`  mailbox ${name} {`, '    auto = create', `    special_use = \\${name}`, '  }']), '}']

function imapLines(port: number): string[] {
  return [
    'disable_plaintext_auth = no',
    'service imap-login {', '  chroot =', '  inet_listener imap {', '    address = 127.0.0.1', `    port = ${port}`, '  }', '  inet_listener imaps {', '    port = 0', '  }', '}',
  ]
}
