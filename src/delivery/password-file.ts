/**
 * The file that holds a password: its first line, in UTF-8. As with ssh's keys,
 * one that others may read or change is not used. What is wrong is said in a
 * sentence, in which the password never stands. Nothing rejects.
 */
import { open } from 'node:fs/promises'

export type PasswordResult =
  | { readonly status: 'ok'; readonly password: string }
  /** a sentence without the file's name */
  | { readonly status: 'unusable'; readonly problem: string }

const MAX_BYTES = 4096
/** of group and others: everything but the group's right to read, for a service that runs as a user of its own */
const LOOSE = 0o037

export async function readPasswordFile(path: string): Promise<PasswordResult> {
  try {
    const file = await open(path, 'r')
    try {
      const { mode, size } = await file.stat()
      if ((mode & 0o170000) !== 0o100000) return unusable('it is no regular file')
      if ((mode & LOOSE) !== 0) return unusable(looseness(mode))
      if (size > MAX_BYTES) return unusable(`it has ${size} bytes; a password has at most ${MAX_BYTES}`)
      return passwordOf(await file.readFile())
    } finally {
      await file.close()
    }
  } catch (error) {
    return unusable(`it cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function looseness(mode: number): string {
  return `its permissions ${(mode & 0o777).toString(8).padStart(4, '0')} are too open: it must not be accessible for others or writable for its group (chmod 600, or 640)`
}

function passwordOf(bytes: Buffer): PasswordResult {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return unusable('it is not UTF-8')
  }
  const [first = '', ...rest] = text.split(/\r?\n/)
  if (first === '') return unusable('its first line is empty; the password stands there')
  if (rest.some((line) => line !== '')) return unusable('it has more than one line; it holds one password')
  return /\p{Cc}/u.test(first) ? unusable('there is a control character in the password') : { status: 'ok', password: first }
}

function unusable(problem: string): PasswordResult {
  return { status: 'unusable', problem }
}
