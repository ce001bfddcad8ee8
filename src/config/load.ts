/**
 * Finds, reads and checks the configuration. Returns settings with every
 * default filled in, or all errors at once, or why the file cannot be read.
 * It reads files (the configuration and those it refers to), and writes none.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { WrittenPolicy } from '../policy/written.ts'
import { assemble } from './assemble.ts'
import { systemCode } from './check-files.ts'
import { checkModel } from './check-model.ts'
import { EMBEDDED_DEFAULT, EMBEDDED_SOURCE } from './embedded.ts'
import { thisMachine } from './machine.ts'
import type { Machine } from './machine.ts'
import { readModel, type Model, type Purpose } from './model.ts'
import { describePlace, formatKey } from './problem.ts'
import type { ConfigurationError } from './problem.ts'
import { Collector, warnOfUnknownVariables } from './section.ts'
import { readShadow } from './shadow.ts'
import type { Settings } from './settings.ts'
import { MAX_SOURCE_BYTES, parseSource } from './source.ts'

export interface LoadOptions {
  /** given by --config */
  readonly file?: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** where to look without `file`; relative to `cwd` */
  readonly searchPath?: readonly string[]
  readonly machine?: Machine
  readonly purpose?: Purpose
}

export type Loaded =
  | { readonly status: 'ok'; readonly settings: Settings; readonly source: string; readonly warnings: readonly string[] }
  | { readonly status: 'invalid'; readonly errors: readonly ConfigurationError[]; readonly source: string; readonly warnings: readonly string[] }
  | { readonly status: 'unreadable'; readonly source: string; readonly cause: string }

export const SEARCH_PATH: readonly string[] = ['postern.yaml', '/etc/postern/postern.yaml']

/** Names the file, as --config does. */
export const CONFIG_VARIABLE = 'POSTERN_CONFIG'

export function loadConfiguration(options: LoadOptions): Loaded {
  const found = findSource(options)
  if (found.status === 'unreadable') return found
  const text = decode(found.bytes)
  return text === undefined
    ? invalid(found.source, 'is not UTF-8 text')
    : loadText(text, { source: found.source, base: found.base, environment: options.environment, machine: options.machine ?? thisMachine, purpose: options.purpose })
}

export interface TextOptions {
  readonly source: string
  /** directory that relative paths are taken from */
  readonly base: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly machine: Machine
  readonly purpose?: Purpose | undefined
}

/** Reads and checks the text of a configuration. */
export function loadText(text: string, { source, base, environment, machine, purpose = 'gateway' }: TextOptions): Loaded {
  const parsed = parseSource(text)
  const root = parsed.root ?? { kind: 'map' as const, entries: new Map(), place: { line: undefined, column: undefined, variable: undefined } }
  const collector = new Collector(source, root, ourVariables(environment))
  for (const { place, key, problem } of parsed.problems) {
    collector.errors.push({ source, ...place, key: formatKey(key), problem, allowed: undefined })
  }
  if (parsed.root === undefined) return { status: 'invalid', errors: collector.errors, source, warnings: [] }
  const model = readModel(parsed.root, collector, purpose)
  const shadow = purpose === 'gateway' || purpose === 'judging' ? readShadowOf(model, collector, base) : undefined
  checkModel(model, { collector, machine, base, purpose })
  warnOfUnknownVariables(collector, [CONFIG_VARIABLE])
  const warnings = collector.warnings.map(({ place, key, text: words }) => `${describePlace(source, place)}${key === '' ? '' : `${key}: `}${words}`)
  if (collector.errors.length > 0) return { status: 'invalid', errors: inOrder(collector.errors), source, warnings }
  return { status: 'ok', settings: assemble(model, { machine, base, shadow }), source, warnings }
}

/** The errors of a shadow policy are those of the configuration. */
function readShadowOf(model: Model, collector: Collector, base: string): WrittenPolicy | undefined {
  const path = model.root.values.policy.shadow
  if (path === undefined) return undefined
  const found = readSource(resolve(base, path))
  if (found.status === 'unreadable') {
    collector.error(['policy', 'shadow'], `${found.source}: ${found.cause}`, 'the path of a file with a policy')
    return undefined
  }
  const reading = readShadow(decode(found.bytes), found.source)
  if (reading.status === 'read') return reading.policy
  collector.errors.push(...reading.errors)
  return undefined
}

function invalid(source: string, problem: string): Loaded {
  return { status: 'invalid', source, warnings: [], errors: [{ source, line: undefined, column: undefined, key: '', variable: undefined, problem, allowed: undefined }] }
}

/** An empty variable counts as unset, as compose files and units write those they do not use. */
function ourVariables(environment: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(environment).filter((entry): entry is [string, string] =>
    entry[0].startsWith('POSTERN_') && entry[1] !== undefined && entry[1] !== ''))
}

/** As an operator reads the file: from the top; those without a line first. */
function inOrder(errors: readonly ConfigurationError[]): readonly ConfigurationError[] {
  return errors.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
}

type Found =
  | { readonly status: 'found'; readonly source: string; readonly base: string; readonly bytes: Buffer }
  | { readonly status: 'unreadable'; readonly source: string; readonly cause: string }

function findSource({ file, environment, cwd, searchPath }: LoadOptions): Found {
  const named = file ?? (environment[CONFIG_VARIABLE] || undefined)
  if (named !== undefined) return readSource(resolve(cwd, named))
  for (const path of searchPath ?? SEARCH_PATH) {
    const found = readSource(resolve(cwd, path))
    // Only a file that is not there is passed over: one that cannot be read was meant.
    if (found.status === 'found' || found.cause !== 'there is no such file') return found
  }
  return { status: 'found', source: EMBEDDED_SOURCE, base: cwd, bytes: Buffer.from(EMBEDDED_DEFAULT) }
}

function readSource(path: string): Found {
  try {
    return { status: 'found', source: path, base: dirname(path), bytes: readBounded(path) }
  } catch (error) {
    const code = systemCode(error)
    const known: Readonly<Record<string, string>> = { ENOENT: 'there is no such file', EACCES: 'no permission to read it', EISDIR: 'it is a directory' }
    return { status: 'unreadable', source: path, cause: known[code] ?? code }
  }
}

/** One byte more than allowed is enough to know; the parser says so. A pipe works too. */
function readBounded(path: string): Buffer {
  const descriptor = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(MAX_SOURCE_BYTES + 1)
    let length = 0
    for (let n = -1; n !== 0 && length < buffer.length; length += n) n = readSync(descriptor, buffer, length, buffer.length - length, null)
    return buffer.subarray(0, length)
  } finally {
    closeSync(descriptor)
  }
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}
