/**
 * Exit codes after sysexits(3), and what an error of the operating system means
 * in them. An init system reads them: 75 is worth another try, 64, 77 and 78
 * are not before somebody has changed something.
 */
import { ShippedRulesUnread } from '../scoring/unread-rules.ts'
import { OtherVersion } from '../state/database.ts'
import { primaryCode } from '../state/decision-reader.ts'

export const EXIT = {
  ok: 0,
  /** wrong arguments */
  usage: 64,
  /** input that is not what it should be */
  data: 65,
  /** an input file that is not there */
  noInput: 66,
  /** a bug in Postern */
  internal: 70,
  /** may work later: an address in use, a peer that does not answer */
  temporary: 75,
  /** the operating system says no: a port below 1024, a file of somebody else */
  permission: 77,
  /** the configuration is wrong */
  configuration: 78,
} as const

/** An error whose exit code is known and whose message is made for people: no stack is shown. */
export class ExitError extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string) {
    super(message)
    this.name = 'ExitError'
    this.exitCode = exitCode
  }
}

const BY_ERROR_CODE: Readonly<Record<string, number>> = {
  EADDRINUSE: EXIT.temporary,
  // The interface that has the address may come up later (a VPN, DHCP at boot).
  EADDRNOTAVAIL: EXIT.temporary,
  EAGAIN: EXIT.temporary,
  EDQUOT: EXIT.temporary,
  EIO: EXIT.temporary,
  EMFILE: EXIT.temporary,
  ENFILE: EXIT.temporary,
  ENOSPC: EXIT.temporary,
  ENOMEM: EXIT.temporary,
  EACCES: EXIT.permission,
  EPERM: EXIT.permission,
  EROFS: EXIT.permission,
  ENOENT: EXIT.configuration,
  ENOTDIR: EXIT.configuration,
  EISDIR: EXIT.configuration,
  EINVAL: EXIT.configuration,
  // An IPv6 address on a machine without IPv6.
  EAFNOSUPPORT: EXIT.configuration,
}

/** SQLite's result codes for what is no bug of ours: who else holds the file, the disk, permissions, the file itself. */
const BY_DATABASE_CODE: Readonly<Record<number, number>> = {
  /* SQLITE_BUSY */ 5: EXIT.temporary,
  /* SQLITE_LOCKED */ 6: EXIT.temporary,
  /* SQLITE_IOERR */ 10: EXIT.temporary,
  /* SQLITE_FULL */ 13: EXIT.temporary,
  /* SQLITE_READONLY */ 8: EXIT.permission,
  // Where it is only read; the gateway asks the system what it is (not-opened.ts).
  /* SQLITE_CANTOPEN */ 14: EXIT.permission,
  /* SQLITE_CORRUPT */ 11: EXIT.data,
  /* SQLITE_NOTADB */ 26: EXIT.data,
}

/** The exit code for an error; 70 for what cannot be but a bug. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ExitError) return error.exitCode
  if (error instanceof ShippedRulesUnread) return EXIT.noInput
  if (error instanceof OtherVersion) return EXIT.configuration
  const database = primaryCode(error)
  if (database !== undefined) return BY_DATABASE_CODE[database] ?? EXIT.internal
  return BY_ERROR_CODE[errorCode(error) ?? ''] ?? EXIT.internal
}

/** One line for people: what went wrong, and what to do about it where that is known. */
export function explainError(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  const hint = hintFor(error)
  return hint === undefined ? text : `${text}\n  ${hint}`
}

function hintFor(error: unknown): string | undefined {
  if (error instanceof ExitError) return undefined
  if (error instanceof OtherVersion && error.message.includes('newer Postern')) return 'Start that one again, or put back what you kept of the state directory; docs/operations.md, "What is kept in state", says what is lost without this file.'
  const port = error instanceof Error && 'port' in error && typeof error.port === 'number' ? error.port : undefined
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return 'Another program listens there. `ss -ltnp` (as root) shows which.'
    case 'EADDRNOTAVAIL':
      return 'No network interface of this machine has that address.'
    case 'EACCES':
      return port !== undefined && port < 1024
        ? 'Ports below 1024 need CAP_NET_BIND_SERVICE (the systemd unit grants it) or root.'
        : undefined
    default:
      return undefined
  }
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
