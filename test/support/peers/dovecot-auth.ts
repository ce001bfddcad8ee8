/**
 * A Dovecot of the test's own that only answers logins, on a unix socket, out
 * of a passwd-file. An Error with its log where it does not come up.
 */
import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { start, temporaryDirectory, until, type RunningProcess } from '../process.ts'

export interface DovecotAuth {
  readonly socket: string
  /** of the passwd-file, which may be rewritten */
  readonly users: string
  log(): string
  stop(): Promise<void>
  restart(): Promise<void>
}

export async function startDovecotAuth(users: string): Promise<DovecotAuth> {
  const directory = temporaryDirectory('dovecot-auth')
  // Dovecot's own processes run as other users and look into it.
  chmodSync(directory, 0o755)
  mkdirSync(join(directory, 'run'))
  chmodSync(join(directory, 'run'), 0o755)
  const file = join(directory, 'users')
  const socket = join(directory, 'auth.sock')
  writeFileSync(file, users, { mode: 0o644 })
  const configuration = [
    'protocols =',
    `base_dir = ${directory}/run`,
    `state_dir = ${directory}/run`,
    `log_path = ${directory}/log`,
    'ssl = no',
    'disable_plaintext_auth = yes',
    'auth_mechanisms = plain login scram-sha-256 cram-md5 anonymous',
    'auth_anonymous_username = nobody',
    'auth_failure_delay = 0',
    'passdb {',
    '  driver = passwd-file',
    `  args = ${file}`,
    '}',
    'userdb {',
    '  driver = static',
    '  args = uid=65534 gid=65534 home=/nonexistent',
    '}',
    'service auth {',
    `  unix_listener ${socket} {`,
    '    mode = 0666',
    '  }',
    '}',
    'service anvil {',
    '  chroot =',
    // No answer is held back because of earlier failures from this address.
    '  unix_listener anvil-auth-penalty {',
    '    mode = 0',
    '  }',
    '}',
    'service stats {',
    '  chroot =',
    '}',
  ]
  writeFileSync(join(directory, 'dovecot.conf'), configuration.join('\n') + '\n')
  appendFileSync(join(directory, 'log'), '')
  let running: RunningProcess | undefined
  const log = (): string => readFileSync(join(directory, 'log'), 'latin1') + (running?.output() ?? '')
  const begin = async (): Promise<void> => {
    running = start(['dovecot', '-F', '-c', join(directory, 'dovecot.conf')])
    await until('dovecot answers logins', () => greets(socket), { detail: log })
  }
  await begin()
  return { socket, users: file, log, stop: async () => running?.stop(), restart: begin }
}

/** Whether Dovecot says which version of the protocol it speaks. */
function greets(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path)
    const finish = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(2000, () => finish(false))
    socket.once('error', () => finish(false))
    socket.once('close', () => resolve(false))
    socket.once('data', (chunk: Buffer) => finish(chunk.toString('latin1').startsWith('VERSION')))
  })
}
