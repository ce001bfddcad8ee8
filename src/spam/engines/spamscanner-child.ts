/**
 * The process in which spamscanner runs, so that its memory and its slowness
 * are not the gateway's. It takes requests on standard input and answers on
 * descriptor 3 (spamscanner-frames.ts), one at a time, and ends with its input.
 * What comes first is where the package is and what it is told (not as
 * arguments, which everybody on the machine may read); then it is loaded. The
 * only argument is the process id of the gateway. What the package prints goes
 * nowhere.
 */
import { createWriteStream } from 'node:fs'
import { registerHooks } from 'node:module'
import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { FrameReader, type ChildLine, type LoadRequest, type ScanRequest } from './spamscanner-frames.ts'
import { trimmedResult } from './spamscanner-answer.ts'
import { findSpamscanner, PACKAGE } from './spamscanner-package.ts'

interface Scanner {
  scan(source: Buffer, options: unknown): Promise<unknown>
}

type ScannerClass = new (options: unknown) => Scanner

const [, , gateway = ''] = process.argv
const answers = createWriteStream('', { fd: 3 })
// The other side is gone, and with it the reason to be here.
answers.on('error', () => process.exit(0))

function say(line: ChildLine): void {
  answers.write(`${JSON.stringify(line)}\n`)
}

async function load({ folder, options }: LoadRequest): Promise<Scanner | undefined> {
  const { from, version } = findSpamscanner(folder)
  try {
    const scanner = new (classOf(await importFrom(from)))(options)
    say({ is: 'ready', version: version ?? '' })
    return scanner
  } catch (error) {
    say({ is: 'unusable', installed: version !== undefined, cause: messageOf(error) })
    return undefined
  }
}

/** As `import` in a file there would: what a package has for `require` may be something else, or missing. */
async function importFrom(from: string): Promise<{ readonly default?: unknown }> {
  const hooks = registerHooks({ resolve: (name, context, next) => next(name, name === PACKAGE ? { ...context, parentURL: from } : context) })
  try {
    return (await import(PACKAGE)) as { readonly default?: unknown }
  } finally {
    hooks.deregister()
  }
}

/** A CommonJS module that says it was an ES module has its default one level deeper. */
function classOf(loaded: { readonly default?: unknown }): ScannerClass {
  for (let found: unknown = loaded.default, depth = 0; depth < 2; depth++) {
    if (typeof found === 'function') return found as ScannerClass
    found = (found as { readonly default?: unknown } | undefined)?.default
  }
  throw new Error('the package exports no class')
}

async function answer(scanner: Scanner, request: ScanRequest, message: Buffer): Promise<void> {
  try {
    const result = await scanner.scan(message, { session: request.session })
    say({ is: 'scanned', id: request.id, result: trimmedResult(result) })
  } catch (error) {
    say({ is: 'failed', id: request.id, cause: messageOf(error) })
  }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500)
}

async function serve(): Promise<void> {
  const reader = new FrameReader()
  let scanner: Scanner | undefined
  let request: ScanRequest | undefined
  let pieces: Buffer[] = []
  for await (const piece of process.stdin as AsyncIterable<Buffer>) {
    const frames = reader.push(piece)
    if (frames === 'too long') break
    for (const frame of frames) {
      if (scanner === undefined) {
        scanner = await load(JSON.parse(frame.toString('utf8')) as LoadRequest)
        // Told; the next message starts another process, and by then it may be installed.
        if (scanner === undefined) return void answers.end(() => process.exit(0))
      } else if (request === undefined) request = JSON.parse(frame.toString('utf8')) as ScanRequest
      else if (frame.length > 0) pieces.push(frame)
      else {
        await answer(scanner, request, Buffer.concat(pieces))
        request = undefined
        pieces = []
      }
    }
  }
  process.exit(0)
}

// The file beside this one: .ts where types are stripped, .js where they were.
new Worker(join(import.meta.dirname, `spamscanner-watch${extname(import.meta.filename)}`), { workerData: gateway, env: {}, resourceLimits: { maxOldGenerationSizeMb: 64 } }).unref()
await serve()
