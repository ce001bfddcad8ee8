/**
 * Into the background: this same program is started again, in a session of its
 * own; it says over IPC when it listens, or why it does not. Only then does the
 * one in the foreground end, with 0 or with the exit code of the trouble.
 */
import { spawn } from 'node:child_process'

/** Set for the one in the background. */
const MARK = 'DKIMPROXY_IN_BACKGROUND'

export interface Outcome {
  readonly exitCode: number
  /** for standard error */
  readonly text: string
}

export function isInBackground(environment: NodeJS.ProcessEnv): boolean {
  return environment[MARK] === '1' && process.send !== undefined
}

/** Resolves when the one in the background listens, or has ended. */
export function startInBackground(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<Outcome> {
  const [, script = ''] = process.argv
  const child = spawn(process.execPath, [...process.execArgv, script, ...argv], { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'], env: { ...environment, [MARK]: '1' } })
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ exitCode: 70, text: `cannot be started in the background: ${error.message}\n` }))
    child.once('exit', (code, signal) => resolve({ exitCode: code === null || code === 0 ? 70 : code, text: `ended in the background (${signal ?? `exit code ${code ?? 'unknown'}`}) before it listened\n` }))
    child.once('message', (message: unknown) => {
      child.disconnect()
      child.unref()
      resolve(isOutcome(message) ? message : { exitCode: 70, text: 'said something that is not understood\n' })
    })
  })
}

/** To the one in the foreground, which ends then. */
export function tellForeground(outcome: Outcome): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) return resolve()
    process.send(outcome, undefined, undefined, () => {
      if (process.connected) process.disconnect()
      resolve()
    })
  })
}

function isOutcome(message: unknown): message is Outcome {
  return typeof message === 'object' && message !== null && 'exitCode' in message && typeof message.exitCode === 'number' && 'text' in message && typeof message.text === 'string'
}
