/**
 * A Dovecot of the test's own that speaks LMTP only, over TCP or a unix socket,
 * and delivers into Maildirs of virtual users. Its message stays as it came
 * under a Return-Path, Delivered-To and Received of its own (RFC 2033).
 * An Error with its log where it does not answer.
 */
import { appendFileSync, chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../ports.ts'
import { start, temporaryDirectory, untilGreets, type Address, type RunningProcess } from '../process.ts'
import { HOP_DOMAIN, MAIL_USER, targetOf, type Hop } from './hop.ts'
import { Mailbox } from './mailbox.ts'
import { account } from './programs.ts'

export interface DovecotOptions {
  readonly users?: readonly string[]
  readonly over: 'tcp' | 'unix'
}

export async function startDovecot(options: DovecotOptions): Promise<Hop> {
  const directory = temporaryDirectory('dovecot')
  const address: Address = options.over === 'tcp' ? { port: await freePort() } : { path: join(directory, 'lmtp.sock') }
  const mail = account(MAIL_USER)
  mkdirSync(join(directory, 'mail'))
  chownSync(join(directory, 'mail'), mail.uid, mail.gid)
  // Dovecot's own processes run as other users and look into it.
  mkdirSync(join(directory, 'run'))
  chmodSync(join(directory, 'run'), 0o755)
  const users = options.users ?? ['alice']
  writeFileSync(join(directory, 'users'), users.map((user) => `${user}@${HOP_DOMAIN}:::::::\n`).join(''), { mode: 0o644 })
  writeFileSync(join(directory, 'dovecot.conf'), configuration(directory, address).join('\n') + '\n')
  const logFile = join(directory, 'log')
  appendFileSync(logFile, '')
  let running: RunningProcess | undefined
  const log = (): string => readFileSync(logFile, 'latin1') + (running?.output() ?? '')
  const begin = async (): Promise<void> => {
    running = start(['dovecot', '-F', '-c', join(directory, 'dovecot.conf')])
    await untilGreets('dovecot', { ...running, output: log }, address)
  }
  await begin()
  return {
    name: `dovecot (${options.over})`,
    address,
    target: targetOf(address),
    mailbox: (user) => new Mailbox(join(directory, 'mail', HOP_DOMAIN, user)),
    log,
    stop: async () => running?.stop(),
    restart: begin,
  }
}

function configuration(directory: string, address: Address): string[] {
  const mail = account(MAIL_USER)
  const listener = 'port' in address ? [`  inet_listener lmtp {`, '    address = 127.0.0.1', `    port = ${address.port}`, '  }'] : [`  unix_listener ${address.path} {`, '    mode = 0666', '  }']
  return [
    'protocols = lmtp',
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
    // Nobody but the tests' hops listens here.
    'service anvil {',
    '  chroot =',
    '}',
    'service stats {',
    '  chroot =',
    '}',
  ]
}
