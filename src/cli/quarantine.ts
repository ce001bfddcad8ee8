/**
 * `postern quarantine`: shows what is kept, sends it on, deletes it. Works on
 * the state directory itself, whether the gateway runs or not, and makes none
 * where there is none. As root it becomes the owner of that directory first, so
 * that nothing in it, and no Maildir, gets files that the gateway cannot use.
 *
 * Exit codes of sysexits(3): 0 done; 64 wrong arguments; 65 refused for good by
 * the next hop, or damaged; 66 no such message, or no configuration file; 75 may
 * work later (the hop is down, somebody else works on the message); 77 no
 * permission; 78 the configuration is wrong, or names no such hop.
 */
import { duration, integer, type Reading } from '../config/format.ts'
import { loadConfiguration, type LoadOptions } from '../config/load.ts'
import { describeError } from '../config/problem.ts'
import type { HopSettings, Settings } from '../config/settings.ts'
import { readHeaderSection } from '../delivery/delivered-to.ts'
import { nodeFileSystem } from '../delivery/file-system.ts'
import { createMaildirHop } from '../delivery/local.ts'
import type { NextHop } from '../delivery/next-hop.ts'
import { createRelayHop } from '../delivery/relay.ts'
import type { StoredMessage } from '../message/message.ts'
import { createLog } from '../observe/create-log.ts'
import type { Log } from '../observe/log.ts'
import { escapeControls, formatSize } from '../observe/readable.ts'
import { parsePath } from '../smtp/address.ts'
import type { EnvelopePath } from '../smtp/envelope.ts'
import { openDatabase } from '../state/database.ts'
import type { QuarantineEntry } from '../state/quarantine-entry.ts'
import { QuarantineError } from '../state/quarantine-files.ts'
import { Quarantine, QUARANTINE_BOUNDS, type Hold } from '../state/quarantine.ts'
import { becomeOwner } from './become-owner.ts'
import { EXIT, ExitError, exitCodeOf, explainError } from './exit-codes.ts'
import type { DeleteRequest, ListRequest, QuarantineRequest, ReleaseRequest, ShowRequest } from './quarantine-command.ts'
import { describeEntry, describeJson, describeLine, safeLines, safeText } from './quarantine-output.ts'
import { releaseEntry } from './quarantine-release.ts'
import { hasInSubject, subjectOf } from './quarantine-subject.ts'
import { hasDatabase } from './read-database.ts'
import { releasedMessage } from './released-message.ts'

export interface QuarantineIo extends Omit<LoadOptions, 'file'> {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** bytes to standard output; default: the process's own */
  readonly bytes?: (piece: Buffer) => Promise<void>
  /** whether a person reads standard output; default: whether it is a terminal */
  readonly terminal?: boolean
  /** milliseconds since 1970; default: the time of day */
  readonly now?: () => number
}

interface Ground {
  readonly quarantine: Quarantine
  readonly settings: Settings
  readonly io: QuarantineIo
  readonly log: Log
  readonly now: () => number
}

const CLEARED = 'went on as no spam: the X-Spam fields that this gateway had put there say so'
const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6

export async function runQuarantine(request: QuarantineRequest, io: QuarantineIo): Promise<number> {
  const loaded = loadConfiguration({ ...io, file: request.config, purpose: 'command' })
  if (loaded.status === 'unreadable') {
    io.err(`postern: ${loaded.source}: ${loaded.cause}\n`)
    return EXIT.noInput
  }
  if (loaded.status === 'invalid') {
    for (const error of loaded.errors) io.err(`postern: ${describeError(error)}\n`)
    return EXIT.configuration
  }
  const { settings } = loaded
  try {
    if (hasDatabase(settings.state)) return await withQuarantine(settings, request, io)
    io.err(`nothing was ever kept in ${settings.state}\n`)
    return request.action === 'list' ? EXIT.ok : EXIT.noInput
  } catch (error) {
    // A reader that has seen enough (`| head`) is no trouble.
    if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return EXIT.ok
    const code = codeOf(error)
    // A bug is for whoever prints its stack.
    if (code === EXIT.internal) throw error
    io.err(`postern: ${escapeLines(explainError(error))}\n`)
    return code
  }
}

async function withQuarantine(settings: Settings, request: QuarantineRequest, io: QuarantineIo): Promise<number> {
  becomeOwner(settings)
  const log = createLog({ level: 'warn', format: 'readable' }, { stream: { write: io.err }, terminal: false })
  const now = io.now ?? Date.now
  const database = openDatabase(settings.state)
  try {
    const quarantine = new Quarantine(settings.state, QUARANTINE_BOUNDS, { database, files: nodeFileSystem, log, now })
    return await perform(request, { quarantine, settings, io, log, now })
  } finally {
    database.close()
  }
}

function perform(request: QuarantineRequest, ground: Ground): number | Promise<number> {
  switch (request.action) {
    case 'list': return list(request, ground)
    case 'show': return show(request, ground)
    case 'release': return release(request, ground)
    case 'delete': return remove(request, ground)
  }
}

/* --- list and show --- */

async function list(request: ListRequest, { quarantine, io, now }: Ground): Promise<number> {
  const { sender, recipient, subject: wanted } = request
  const since = request.since === undefined ? undefined : now() - value('--since', duration({ min: '1s', max: '36500d' }).read(request.since))
  const limit = value('--limit', integer({ min: 1, max: 100_000 }).read(request.limit ?? '100'))
  const describe = request.json === true ? describeJson : describeLine
  const lines: string[] = []
  const unread: string[] = []
  for (const entry of quarantine.entries({ sender, recipient, since })) {
    const { subject, cause } = await subjectOf(entry, quarantine)
    if (cause !== undefined) unread.push(cause)
    if (wanted === undefined || hasInSubject(subject, wanted)) lines.push(describe(entry, subject))
    if (lines.length > limit) break
  }
  const shown = lines.slice(0, limit)
  io.out(shown.join(''))
  // Else whoever looks for one of them finds nothing, and takes it for lost.
  const [first] = wanted === undefined ? [] : unread
  if (first !== undefined) io.err(`${unread.length} could not be read, so that nobody knows their Subject: ${escapeLines(first)}\n`)
  if (lines.length > limit) io.err(`there are more than these ${limit}: --limit shows them\n`)
  else if (request.json !== true) io.err(`${shown.length} ${shown.length === 1 ? 'message' : 'messages'}; all that is kept: ${formatSize(quarantine.bytes())}\n`)
  return EXIT.ok
}

/** Of an option; what is wrong with it is wrong usage. */
function value<T>(option: string, reading: Reading<T>): T {
  if (reading.status === 'read') return reading.value
  throw new ExitError(EXIT.usage, reading.problems.map(({ problem, allowed }) => `${option}: ${problem}${allowed === undefined ? '' : `; allowed: ${allowed}`}`).join('; '))
}

async function show(request: ShowRequest, ground: Ground): Promise<number> {
  const { quarantine, io } = ground
  const entry = await find(request.id, quarantine)
  const message = await quarantine.read(entry)
  try {
    if (request.raw === true) await showWhole(message, io)
    else {
      const section = await readHeaderSection(message)
      io.out(request.headers === true ? `${safeLines(section)}\n` : describeEntry(entry, section))
    }
    return EXIT.ok
  } finally {
    message.discard()
  }
}

async function showWhole(message: StoredMessage, io: QuarantineIo): Promise<void> {
  if (io.terminal ?? process.stdout.isTTY) {
    const safe = safeText()
    for await (const piece of message.chunks()) io.out(safe.push(piece))
    io.out(safe.end())
    return
  }
  const write = io.bytes ?? toStandardOutput
  for await (const piece of message.chunks()) await write(piece)
}

function toStandardOutput(piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(error)
    // A stream says it twice; both are for us.
    process.stdout.once('error', failed)
    process.stdout.write(piece, (error) => {
      if (error) return reject(error)
      process.stdout.off('error', failed)
      resolve()
    })
  })
}

async function find(id: string, quarantine: Quarantine): Promise<QuarantineEntry> {
  const found = await quarantine.find(id)
  switch (found.status) {
    case 'found': return found.entry
    case 'ambiguous': throw new ExitError(EXIT.usage, `${id} is the beginning of several: ${found.ids.join(', ')}${found.ids.length < 10 ? '' : ' …'}`)
    case 'none': throw unknown(id)
  }
}

/* --- release and delete --- */

async function release(request: ReleaseRequest, ground: Ground): Promise<number> {
  const { quarantine, settings, io, log } = ground
  const to = request.to === undefined ? undefined : addressOf(request.to)
  const { id, hop: wanted } = await find(request.id, quarantine)
  const hopSettings = hopNamed(request.hop ?? wanted, settings)
  const hold = await take(id, quarantine)
  try {
    const stored = await quarantine.read(hold.entry)
    const hop = openHop(hopSettings, settings, log)
    try {
      const { body, cleared } = await releasedMessage(stored)
      return await releaseEntry(hold, to, { hop, body, out: io.out, err: io.err, ...(cleared && { remark: CLEARED }) })
    } finally {
      stored.discard()
      await hop.close()
    }
  } finally {
    hold.end()
  }
}

function addressOf(text: string): EnvelopePath {
  const binary = Buffer.from(text, 'utf8').toString('latin1')
  const parsed = parsePath(binary, 0)
  const whole = parsed.status === 'ok' && parsed.end === binary.length && parsed.path.mailbox !== null && parsed.path.mailbox.domain !== '' && !/[\x00-\x1f\x7f]/.test(text)
  if (whole) return { path: parsed.path, parameters: [] }
  throw new ExitError(EXIT.usage, `--to: ${text} is no address${parsed.status === 'ok' ? '' : `: ${parsed.why}`}`)
}

function hopNamed(name: string, { hops }: Settings): HopSettings {
  const found = hops.get(name)
  if (found !== undefined) return found
  throw new ExitError(EXIT.configuration, `the configuration has no hop named ${escapeControls(name)}; --hop chooses one of: ${[...hops.keys()].join(', ')}`)
}

/** As the gateway makes it. */
function openHop(hop: HopSettings, { hostname, domains, listeners }: Settings, log: Log): NextHop {
  if (hop.kind !== 'maildir') return createRelayHop(hop, { hostname, log })
  const anyDomain = listeners.some(({ role, next }) => role === 'outbound' && next === hop.name)
  return createMaildirHop(hop, { hostname, log, domains: new Set(domains.keys()), anyDomain })
}

async function take(id: string, quarantine: Quarantine): Promise<Hold> {
  const outcome = await quarantine.hold(id)
  switch (outcome.status) {
    case 'held': return outcome.hold
    case 'busy': throw new ExitError(EXIT.temporary, busy(id, outcome.untilMs))
    case 'none': throw unknown(id)
  }
}

function unknown(id: string): ExitError {
  return new ExitError(EXIT.noInput, `there is no ${id} in the quarantine`)
}

function busy(id: string, untilMs: number): string {
  return `somebody else is releasing or deleting ${id}; if that command has died, this one can go on at ${new Date(untilMs).toISOString()}`
}

/** All that can be deleted are, whatever the others are. */
async function remove({ ids }: DeleteRequest, { quarantine, io }: Ground): Promise<number> {
  let exitCode: number = EXIT.ok
  for (const given of ids) {
    const id = given.toUpperCase()
    try {
      const outcome = await quarantine.remove(id)
      if (outcome.status === 'busy') throw new ExitError(EXIT.temporary, busy(id, outcome.untilMs))
      if (outcome.status === 'none') throw unknown(id)
      io.out(`${id} deleted\n`)
    } catch (error) {
      if (codeOf(error) === EXIT.internal) throw error
      io.err(`postern: ${escapeLines(explainError(error))}\n`)
      // What may work later is worth saying before what will not.
      if (exitCode !== EXIT.temporary) exitCode = codeOf(error)
    }
  }
  return exitCode
}

/* --- surroundings --- */

/** What SQLite and the disk say, in exit codes. */
function codeOf(error: unknown): number {
  const code = exitCodeOf(error)
  if (code === EXIT.permission || error instanceof ExitError) return code
  if (error instanceof QuarantineError) return error.code === undefined || error.code === 'ENOENT' ? EXIT.data : EXIT.temporary
  if (error instanceof Error && 'errcode' in error) return error.errcode === SQLITE_BUSY || error.errcode === SQLITE_LOCKED ? EXIT.temporary : EXIT.data
  return code
}

function escapeLines(text: string): string {
  return text.split('\n').map(escapeControls).join('\n')
}
