/**
 * What the operating system has against a database that SQLite cannot open, of which
 * SQLite does not say more. A file of the database itself is never opened for that:
 * to close it again would let go of the locks that others of this process hold on it.
 */
import { accessSync, closeSync, constants, openSync, rmSync, statSync } from 'node:fs'

/** As many as SQLite has of each: the file itself, its log, the index of that. */
const PARTS = ['', '-wal', '-shm'] as const

/** Undefined: it has nothing against it now. */
export function whyNotOpened(path: string): Error | undefined {
  try {
    // To open a folder for writing is refused, and holds no lock.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) closeSync(openSync(path, 'r+'))
    for (const part of PARTS) if (statSync(`${path}${part}`, { throwIfNoEntry: false }) !== undefined) accessSync(`${path}${part}`, constants.R_OK | constants.W_OK)
    makeFiles(PARTS.map((_, number) => `${path}-${process.pid}-${number}.try`))
    return undefined
  } catch (error) {
    return error instanceof Error ? error : undefined
  }
}

/** All at once, and none is left. */
function makeFiles(paths: readonly string[]): void {
  const made: { readonly path: string; readonly file: number }[] = []
  try {
    for (const path of paths) made.push({ path, file: openSync(path, 'w', 0o600) })
  } finally {
    for (const { path, file } of made) {
      closeSync(file)
      rmSync(path, { force: true })
    }
  }
}
