/**
 * What nobody has caught is a bug: it is written to the log (to standard error
 * before there is one), and the process ends with 70. To go on would be to
 * answer for messages in a state that nobody has thought of; a client whose
 * session breaks here still holds its message.
 */
import { writeSync } from 'node:fs'
import { EXIT } from '../cli/exit-codes.ts'
import type { ProcessLog } from './create-log.ts'

let log: ProcessLog | undefined

/** From now on crashes are written there. */
export function logCrashesTo(processLog: ProcessLog): void {
  log = processLog
}

/** To be called once, before anything else runs. */
export function installCrashHandler(): void {
  // A rejection that nobody handles comes here as well.
  process.on('uncaughtException', (error: unknown) => {
    const end = (): never => process.exit(EXIT.internal)
    if (log === undefined) {
      writeSync(2, `postern: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
      return end()
    }
    log.error({ err: error }, 'a bug in Postern: the process ends')
    void log.flush().finally(end)
  })
}
