/**
 * The process in which spamscanner runs, so that its memory and its slowness
 * are not the gateway's. It takes requests on standard input and answers on
 * descriptor 3 (spamscanner-frames.ts), one at a time, and ends with its input.
 * The package is loaded when it starts, from the folder of the first argument;
 * the second is a JSON object of options for it. What the package prints goes
 * nowhere.
 */
import { createWriteStream } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FrameReader, type ChildLine, type ScanRequest } from './spamscanner-frames.ts'
import { trimmedResult } from './spamscanner-answer.ts'

interface Scanner {
  scan(source: Buffer, options: unknown): Promise<unknown>
}

type ScannerClass = new (options: unknown) => Scanner

const [, , folder = '', options = '{}'] = process.argv
const answers = createWriteStream('', { fd: 3 })
// The other side is gone, and with it the reason to be here.
answers.on('error', () => process.exit(0))

function say(line: ChildLine): void {
  answers.write(`${JSON.stringify(line)}\n`)
}

async function load(): Promise<Scanner | undefined> {
  const require = createRequire(folder === '' ? import.meta.url : pathToFileURL(join(folder, 'here.js')))
  let installed = false
  try {
    const found = require.resolve('spamscanner')
    installed = true
    const loaded = (await import(pathToFileURL(found).href)) as { readonly default?: unknown }
    const scanner = new (classOf(loaded))(JSON.parse(options))
    let version = ''
    try {
      version = String((require('spamscanner/package.json') as { readonly version?: unknown }).version)
    } catch {
      // Its `exports` do not show it; it is for the log only.
    }
    say({ is: 'ready', version })
    return scanner
  } catch (error) {
    say({ is: 'unusable', installed, cause: messageOf(error) })
    return undefined
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
  const scanner = await load()
  if (scanner === undefined) {
    answers.end(() => process.exit(0))
    return
  }
  const reader = new FrameReader()
  let request: ScanRequest | undefined
  let pieces: Buffer[] = []
  for await (const piece of process.stdin as AsyncIterable<Buffer>) {
    const frames = reader.push(piece)
    if (frames === 'too long') break
    for (const frame of frames) {
      if (request === undefined) request = JSON.parse(frame.toString('utf8')) as ScanRequest
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

await serve()
