/**
 * What is wrong with the store that `postern train` works on, in a sentence with
 * what to do, and its exit code; undefined for what is no fault of a store.
 */
import { join } from 'node:path'
import { BAYES_DATABASE } from '../state/bayes-database.ts'
import { isBusy, OtherVersion } from '../state/database.ts'
import { RedisError } from '../state/redis-connection.ts'
import { EXIT, ExitError } from './exit-codes.ts'

/** Result codes of SQLite, without what is in their upper bytes. */
const SQLITE = { permission: 3, readOnly: 8, inputOutput: 10, corrupt: 11, full: 13, cannotOpen: 14, noDatabase: 26 } as const

/** What the system says of a file that was not made by us, or not as one. */
const NOT_OURS = ['EACCES', 'EPERM', 'EROFS', 'EISDIR']

export function storeError(error: unknown, state: string): ExitError | undefined {
  if (isBusy(error)) return new ExitError(EXIT.temporary, `somebody else keeps ${BAYES_DATABASE.file} busy; what was learnt so far is kept, and the same command goes on`)
  if (error instanceof RedisError) return new ExitError(error.trouble === 'denied' ? EXIT.configuration : EXIT.temporary, `${error.message}; what was learnt so far is kept, and the same command goes on`)
  const path = join(state, BAYES_DATABASE.file)
  if (error instanceof OtherVersion) return new ExitError(EXIT.data, `${error.message} (it is in ${state}; docs/operations.md, "starting afresh")`)
  if (!(error instanceof Error)) return undefined
  const said = error.message.replace(`${path}: `, '')
  const foreign = new ExitError(EXIT.permission, `${path} cannot be opened for writing (${said}): it belongs to the user that the gateway runs as`)
  if ('code' in error && NOT_OURS.some((code) => code === error.code) && error.message.includes(path)) return foreign
  if (!('errcode' in error) || typeof error.errcode !== 'number') return undefined
  switch (error.errcode & 0xff) {
    case SQLITE.corrupt:
    case SQLITE.noDatabase:
      return new ExitError(EXIT.data, `${path} is damaged (${said}): put back a copy of it, or remove it and train the classifier again`)
    case SQLITE.permission:
    case SQLITE.readOnly:
    case SQLITE.cannotOpen:
      return foreign
    case SQLITE.inputOutput:
    case SQLITE.full:
      return new ExitError(EXIT.temporary, `${path}: ${said}; what was learnt so far is kept, and the same command goes on`)
    default:
      return undefined
  }
}
