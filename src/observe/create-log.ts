/**
 * Makes the process's log: JSON lines by pino, or lines for people where a
 * terminal reads them (`log.format: auto`) or the configuration says so.
 *
 * JSON fields: `level` (a word), `time` (ISO 8601, UTC), `pid`, then the
 * caller's facts, then `msg`. Facts named `password`, `secret` or `key`, at any
 * depth, are never written. An Error becomes its type, message, code and stack.
 * Control characters are escaped in both forms. Nothing here throws on trouble
 * with the destination: see log-writer.ts for what happens then.
 */
import { isatty } from 'node:tty'
import { pino, stdTimeFunctions, type Logger } from 'pino'
import type { LogSettings } from '../config/settings.ts'
import type { Log } from './log.ts'
import { createLineWriter, openSink, type LineWriter } from './log-writer.ts'
import { painter, renderRecord, wantsColour, type Facts, type Level } from './readable.ts'

export interface ProcessLog extends Log {
  /** New level and format, from now on (SIGHUP). */
  configure(settings: LogSettings): void
  /** Resolves when every line has left, or after `timeoutMs`. */
  flush(timeoutMs?: number): Promise<void>
}

export interface LogDestination {
  /** default: standard output */
  readonly stream?: { write(text: string): unknown }
  /** whether a person reads it; default: whether standard output is a terminal */
  readonly terminal?: boolean
  /** default: process.env */
  readonly environment?: NodeJS.ProcessEnv
}

type Emit = (level: Level, facts: Facts, text: string) => void

const RANK: Readonly<Record<Level, number>> = { debug: 20, info: 30, warn: 40, error: 50 }
const FLUSH_TIMEOUT_MS = 1000

export function createLog(settings: LogSettings, destination: LogDestination = {}): ProcessLog {
  const terminal = destination.terminal ?? (destination.stream === undefined && isatty(1))
  const colour = wantsColour(terminal, destination.environment ?? process.env)
  let readable = false
  let threshold = RANK.info
  const writer = openWriter(destination, (lines) => droppedLine(lines, readable))
  let emit: Emit = jsonEmit(writer)

  function configure(next: LogSettings): void {
    readable = next.format === 'readable' || (next.format === 'auto' && terminal)
    threshold = RANK[next.level]
    emit = readable ? readableEmit(writer, colour) : jsonEmit(writer)
  }
  configure(settings)
  const at =
    (level: Level) =>
    (facts: Facts, text: string): void => {
      if (RANK[level] >= threshold) emit(level, redact(facts), text)
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    configure,
    flush: (timeoutMs = FLUSH_TIMEOUT_MS) => writer.flush(timeoutMs),
  }
}

function openWriter(destination: LogDestination, dropped: (lines: number) => string): LineWriter {
  const { stream } = destination
  if (stream === undefined) return createLineWriter(openSink(1), dropped)
  return {
    write: (line) => {
      stream.write(line)
    },
    flush: () => Promise.resolve(),
  }
}

function droppedLine(lines: number, readable: boolean): string {
  const text = 'log lines were lost: the reader of the log did not keep up'
  if (readable) return renderRecord({ level: 'warn', time: new Date(), text, facts: { lines } }, painter(false))
  return JSON.stringify({ level: 'warn', time: new Date().toISOString(), pid: process.pid, lines, msg: text }) + '\n'
}

function readableEmit(writer: LineWriter, colour: boolean): Emit {
  const paint = painter(colour)
  return (level, facts, text) => writer.write(renderRecord({ level, facts, text, time: new Date() }, paint), RANK[level] >= RANK.warn)
}

function jsonEmit(writer: LineWriter): Emit {
  // pino gives the destination the line alone, so the level is set beside it.
  let urgent = false
  const logger: Logger = pino(
    {
      level: 'debug',
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      // Errors were described already (`describeError`); pino's own serializer would take the description for something else.
      serializers: { err: (value: unknown) => value },
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => writer.write(escapeJson(line), urgent) },
  )
  return (level, facts, text) => {
    urgent = RANK[level] >= RANK.warn
    logger[level](facts, text)
  }
}

/**
 * JSON escapes C0 itself; DEL and C1 may stand in it, and would reach the
 * terminal of whoever reads the log with `cat`. Outside of strings JSON has
 * none of them, so that they can be replaced in the finished line.
 */
const BEYOND_JSON = /[\x7f-\x9f\u2028\u2029]/
const ALL_BEYOND_JSON = /[\x7f-\x9f\u2028\u2029]/g

function escapeJson(line: string): string {
  if (!BEYOND_JSON.test(line)) return line
  return line.replace(ALL_BEYOND_JSON, (character) => '\\u' + character.charCodeAt(0).toString(16).padStart(4, '0'))
}

const SECRET = new Set(['password', 'secret', 'key'])
const MAX_DEPTH = 6

/** The facts themselves where nothing has to be changed, which is nearly always. */
function redact(facts: Facts, depth = 0): Facts {
  let changed: Record<string, unknown> | undefined
  for (const name in facts) {
    const value = facts[name]
    const clean = SECRET.has(name) ? undefined : cleanValue(value, depth)
    if (clean === value) continue
    changed ??= { ...facts }
    if (clean === undefined) Reflect.deleteProperty(changed, name)
    else changed[name] = clean
  }
  return changed ?? facts
}

function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return describeError(value, depth)
  // Deeper than anything we log: a bug, or a structure with a loop.
  if (depth >= MAX_DEPTH) return '…'
  if (value instanceof Map) return redact(Object.fromEntries(value) as Facts, depth + 1)
  if (value instanceof Set) return [...(value as ReadonlySet<unknown>)]
  if (Buffer.isBuffer(value)) return value.toString('latin1')
  if (Array.isArray(value)) return cleanList(value, depth)
  return redact(value as Facts, depth + 1)
}

function cleanList(list: readonly unknown[], depth: number): readonly unknown[] {
  const clean = list.map((value) => cleanValue(value, depth + 1))
  return clean.some((value, index) => value !== list[index]) ? clean : list
}

function describeError(error: Error, depth: number): Facts {
  const code = 'code' in error ? error.code : undefined
  const cause = error.cause === undefined || depth >= MAX_DEPTH ? undefined : cleanValue(error.cause, depth + 1)
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(cause === undefined ? {} : { cause }),
    stack: error.stack,
  }
}
