/**
 * doveadm, Dovecot's tool: hashes as it writes them, what it makes of those of
 * others, and logins that a Dovecot decides. An Error with its output where it
 * does neither.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, temporaryDirectory } from '../process.ts'

/** `{SCHEME}…` */
export async function doveadmPassword(scheme: string, password: string): Promise<string> {
  const { code, output } = await run(['doveadm', '-c', configuration(), 'pw', '-s', scheme, '-p', password])
  const hash = output.trim()
  if (code !== 0 || !hash.startsWith('{')) throw new Error(`doveadm pw -s ${scheme}:\n${output}`)
  return hash
}

/** Asks the auth service at a client socket of Dovecot's (`unix_listener auth-client`). */
export async function doveadmAccepts(socket: string, login: { readonly user: string; readonly password: string }): Promise<boolean> {
  const { code, output } = await run(['doveadm', '-c', configuration(), 'auth', 'test', '-a', socket, login.user, login.password])
  if (/auth succeeded/.test(output)) return true
  if (/auth failed/.test(output)) return false
  throw new Error(`doveadm auth test ended with ${code}:\n${output}`)
}

let made: string | undefined

/** The system's own must not be asked. */
function configuration(): string {
  if (made === undefined) {
    made = join(temporaryDirectory('doveadm'), 'dovecot.conf')
    writeFileSync(made, 'ssl = no\n')
  }
  return made
}
