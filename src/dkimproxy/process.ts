/** What out.ts and in.ts have in common: this process, handed to the daemon. */
import { readFileSync } from 'node:fs'
import { installCrashHandler } from '../observe/crash.ts'
import { runDaemon } from './daemon.ts'
import type { Program } from './options.ts'

export async function startProcess(program: Program): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // Nobody reads it any more; mail goes on.
      if (error.code !== 'EPIPE') throw error
    })
  }
  installCrashHandler()
  // What ps(1) shows, and people look for.
  process.title = program
  const exitCode = await runDaemon(program, process.argv.slice(2), {
    environment: process.env, cwd: process.cwd(), version: version(),
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    onSignal: (signal, listener) => process.on(signal, listener),
  })
  process.exit(exitCode)
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest && typeof manifest.version === 'string' ? manifest.version : 'unknown'
}
