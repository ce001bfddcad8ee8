#!/usr/bin/env node
/**
 * The process: its arguments, and its exit code after sysexits(3). A worker
 * process starts here too; its supervisor tells it everything over IPC.
 *
 * Commands are imported when they are asked for, so that none pays for the
 * others at its start.
 */
import { readFileSync } from 'node:fs'
import { EXIT, exitCodeOf, explainError } from './cli/exit-codes.ts'
import type { Commands } from './cli/program.ts'
import { installCrashHandler, logCrashesTo } from './observe/crash.ts'
import { clusterChannel, isWorkerProcess } from './supervisor/cluster.ts'

const out = (text: string): unknown => process.stdout.write(text)
const err = (text: string): unknown => process.stderr.write(text)

// `postern check | head`: who reads no more wants no more. A command comes to its end all the same, and to its exit code.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

/** That of node:crypto's Argon2, of node:tls's `getCACertificates('system')` and of node:sqlite, and of what is tested. */
const OLDEST_NODE = [24, 7] as const
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  err(`postern: this is Node.js ${process.versions.node}; ${OLDEST_NODE.join('.')} or newer is needed\n`)
  process.exit(EXIT.configuration)
}
installCrashHandler()
if (isWorkerProcess()) await startWorker()
else process.exit(await startProgram())

async function startWorker(): Promise<void> {
  // What ps(1) shows.
  process.title = 'postern: worker'
  const [{ runWorker }, { createGateway }, { createLog }] = await Promise.all([
    import('./supervisor/worker.ts'),
    import('./gateway.ts'),
    import('./observe/create-log.ts'),
  ])
  runWorker({
    channel: clusterChannel(),
    onSignal: (signal, listener) => process.on(signal, listener),
    createGateway,
    createLog: (settings) => {
      const log = createLog(settings)
      logCrashesTo(log)
      return log
    },
    exit: (code) => process.exit(code),
  })
}

async function startProgram(): Promise<number> {
  const { runProgram } = await import('./cli/program.ts')
  try {
    return await runProgram(process.argv.slice(2), commands(), { version: version(), out, err })
  } catch (error) {
    const exitCode = exitCodeOf(error)
    if (exitCode === EXIT.internal) throw error
    err(`postern: ${explainError(error)}\n`)
    return exitCode
  }
}

function commands(): Commands {
  const place = { environment: process.env, cwd: process.cwd() }
  return {
    run: async (options) => (await import('./cli/run.ts')).run(options, { ...place, version: version(), err }),
    check: async (options) => (await import('./cli/check.ts')).runCheck(options, { ...place, out, err }),
    demo: async () => (await import('./cli/demo.ts')).runDemo({ ...place, out }),
    deliver: async (options) => (await import('./cli/deliver.ts')).runDeliver(options, { ...place, out, err }),
    health: async (options) => (await import('./cli/health.ts')).runHealth(options, { ...place, out, err }),
    allow: async (request) => (await import('./cli/allow.ts')).runAllow(request, { ...place, out, err }),
    quarantine: async (request) => (await import('./cli/quarantine.ts')).runQuarantine(request, { ...place, out, err }),
    why: async (request) => (await import('./cli/why.ts')).runWhy(request, { ...place, out, err }),
    user: async (request) => (await import('./cli/user.ts')).runUser(request, { ...place, out, err, input: process.stdin }),
    train: async (request) => (await import('./cli/train.ts')).runTrain(request, { ...place, out, err, input: process.stdin }),
    dkim: async (request) => (await import('./cli/dkim.ts')).runDkim(request, { ...place, out, err }),
    importFrom: async (request) => (await import('./cli/import.ts')).runImport(request, { cwd: place.cwd, out, err }),
    scan: async (request) => (await import('./cli/scan.ts')).runScan(request, { ...place, out, err }),
  }
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest && typeof manifest.version === 'string') return manifest.version
  throw new Error('package.json has no version')
}
