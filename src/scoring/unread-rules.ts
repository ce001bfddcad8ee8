/** Rules that come with Postern and cannot be read, and what the log says of readings that fail. */
import { TooMuch } from './too-much.ts'

/** A file of the rules that come with Postern cannot be read: too many open files, a disk that fails, rights that are wrong. Nothing is wrong with the configuration. */
export class ShippedRulesUnread extends Error {
  override readonly name = 'ShippedRulesUnread'
}

/** For the log: only of a bug its stack is of use, and none of a machine that has too much to do. */
export function factsOfUnread(error: unknown): Readonly<Record<string, unknown>> {
  return error instanceof ShippedRulesUnread || error instanceof TooMuch ? { cause: error.message } : { err: error }
}
