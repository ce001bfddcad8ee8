/**
 * Learns from folders that users move mail into: Junk teaches spam, Archive
 * teaches what is wanted. One process does it for all.
 *
 * What a user has moved lies in `cur` of a Maildir folder and was never in its
 * `new`; or in `new`, where he has moved it unread, and then it is older than
 * its place there: a server links or renames it, which changes the time of the
 * inode and not that of the content. Everything else in `new` came there by
 * itself (a filter has filed it), and teaches nothing. Nor does a message in a
 * folder of spam that Postern has tagged itself: the classifier would learn its
 * own opinion. A message is learned once, and anew where it is moved to a folder
 * of the other kind.
 *
 * Only regular files are read, and no symbolic links followed (maildir-place.ts).
 * A folder in which nothing has happened since it was looked at is passed over.
 * Bounds: folders, names of a folder, messages of a round, bytes of a message,
 * files that are remembered. Whatever there is to look at, everything else in
 * this process has its turn meanwhile. A round rejects where nothing can be
 * learned, and the next one goes on with the same message; all other trouble is
 * in the log, once for each cause.
 */
import { constants } from 'node:fs'
import { lstat, open, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { LearnFolder } from './learning-settings.ts'
import { MimeReader } from '../mime/reader.ts'
import type { Log } from '../observe/log.ts'
import type { Learner } from '../spam/bayes/learner.ts'
import type { MessageContent } from '../spam/content.ts'
import { readContent } from '../spam/content/read-content.ts'
import type { Lease } from '../state/lease.ts'
import type { FolderNotes, Taught, WatchedMail } from '../state/watched-mail.ts'
import { LinkInTheWay, namesOf, OpenMaildir, type MaildirPlace, type OpenSub } from './maildir-place.ts'

export interface TeachingContext {
  readonly learner: Learner
  readonly watched: WatchedMail
  readonly lease: Lease
  /** ours, by which our own fields are known */
  readonly hostname: string
  readonly log: Log
  /** milliseconds since 1970 */
  readonly now: () => number
}

export interface TeachingBounds {
  readonly folders: number
  /** of one folder */
  readonly names: number
  /** messages that one round reads; the next goes on */
  readonly messages: number
  readonly bytes: number
}

export const TEACHING_BOUNDS: TeachingBounds = { folders: 10_000, names: 200_000, messages: 500, bytes: 5_000_000 }
const LEASE_MS = 300_000
const DAY_MS = 86_400_000
/** From the last byte of a message to its place in the folder, where nobody moves it: seconds on a busy disk. */
const DELIVERY_MS = 5000
/** Rows are renewed long before they would go. */
const RENEW_DAYS = 10
/** Names that are looked at before others have their turn: some milliseconds. */
const NAMES_A_TURN = 200
/** A folder may change once more within one tick of its file system's clock, which may differ from ours. */
const SETTLED_MS = 60_000
const MAX_TOLD = 500

export interface Round {
  readonly learned: number
  /** there was more to read than one round does */
  readonly more: boolean
}

interface RoundState {
  readonly day: number
  learned: number
  /** messages that may still be read */
  left: number
  /** when the lease was taken or renewed */
  heldAt: number
  names: number
}

/** A folder that was looked at to its end. */
interface Looked {
  readonly day: number
  /** of `cur` and `new`, when they had not changed for a while */
  readonly changedMs: readonly (number | undefined)[]
}

/** This round is at its end: another process does it, or we are stopping, or no more can be remembered. */
class RoundOver extends Error {}

interface Visit {
  readonly folder: string
  readonly as: 'spam' | 'ham'
  readonly state: RoundState
  readonly notes: FolderNotes
  /** nothing was left for later */
  readonly wholly: { isSo: boolean }
}

/** The store cannot be had: of no use to go on, and nothing is wrong with the folders. */
class Unlearnable extends Error {}

export class TeachingFolders {
  private readonly context: TeachingContext
  private readonly bounds: TeachingBounds
  private readonly told = new Set<string>()
  private looked = new Map<string, Looked>()
  private stopped = false

  constructor(context: TeachingContext, bounds: TeachingBounds = TEACHING_BOUNDS) {
    this.context = context
    this.bounds = bounds
  }

  /** What is under way ends with the message that is being read, and another process may go on at once. */
  stop(): void {
    this.stopped = true
    try {
      this.context.lease.drop()
    } catch (error) {
      // It runs out by itself.
      this.tell('the turn to look at folders that teach cannot be given up', error)
    }
  }

  /** Looks at all folders once. Undefined: another process does it. */
  async round(folders: readonly LearnFolder[]): Promise<Round | undefined> {
    const { lease, watched, now } = this.context
    if (this.stopped) return undefined
    const state: RoundState = { day: Math.floor(now() / DAY_MS), learned: 0, left: this.bounds.messages, heldAt: now(), names: 0 }
    try {
      if (!lease.hold({ now: state.heldAt, forMs: LEASE_MS })) return undefined
      this.checkRows()
      const looked = new Map<string, Looked>()
      for (const { folder, as } of folders) {
        for (const place of await this.places(folder)) {
          const found = await this.look(place, as, state)
          if (found !== undefined) looked.set(`${as} ${place.path}`, found)
        }
      }
      this.looked = looked
      watched.prune(state.day)
    } catch (error) {
      if (error instanceof Unlearnable) throw error.cause
      if (!(error instanceof RoundOver)) this.tell('folders that teach cannot be looked at', error)
    }
    return { learned: state.learned, more: state.left <= 0 }
  }

  private checkRows(): void {
    const { watched, now } = this.context
    if (!watched.isFull()) return
    // Of those that are gone, some.
    watched.prune(Math.floor(now() / DAY_MS))
    const full = new RoundOver('no more of them can be remembered; name fewer folders, or empty them')
    this.tell('folders that teach hold too many messages', full)
    throw full
  }

  /** To be called for each name: now and then others have their turn, and the lease is renewed. */
  private async pace(state: RoundState): Promise<void> {
    const { lease, now } = this.context
    if (this.stopped) throw new RoundOver('stopped')
    if (++state.names % NAMES_A_TURN !== 0) return
    await turn()
    this.checkRows()
    if (now() - state.heldAt < LEASE_MS / 4) return
    state.heldAt = now()
    if (!lease.hold({ now: state.heldAt, forMs: LEASE_MS })) throw new RoundOver('another process looks at them')
  }

  /** The folders that a path with `*` stands for. Before the first `*`, but for the last name, it is the operator's. */
  private async places(pattern: string): Promise<readonly MaildirPlace[]> {
    const parts = namesOf(pattern)
    const star = parts.indexOf('*')
    const trusted = Math.max(0, star < 0 ? parts.length - 1 : star)
    let found: readonly string[] = ['/']
    for (const part of parts) {
      if (part !== '*') {
        found = found.map((place) => join(place, part))
        continue
      }
      const next: string[] = []
      for (const place of found) next.push(...await this.within(place, this.bounds.folders - next.length))
      found = next
    }
    return found.map((path) => ({ path, trusted }))
  }

  private async within(place: string, most: number): Promise<readonly string[]> {
    const names: string[] = []
    try {
      for await (const entry of await opendir(place)) {
        if (names.length >= most) break
        if (entry.isDirectory()) names.push(join(place, entry.name))
      }
    } catch (error) {
      this.tell('a folder that teaches cannot be read', error)
    }
    return names.sort()
  }

  /** Undefined: it was not looked at to its end, or may have changed meanwhile. */
  private async look(place: MaildirPlace, as: 'spam' | 'ham', state: RoundState): Promise<Looked | undefined> {
    const before = this.looked.get(`${as} ${place.path}`)
    if (before !== undefined && state.day - before.day < RENEW_DAYS && await this.isUnchanged(place, before)) return before
    let folder: OpenMaildir
    try {
      folder = await OpenMaildir.open(place)
    } catch (error) {
      if (error instanceof LinkInTheWay) this.tell('a folder that teaches is a symbolic link or no folder, and is passed over', error)
      else if (!isMissing(error)) this.tell('a folder that teaches cannot be read', error)
      return undefined
    }
    const notes = this.context.watched.notes(place.path, state.day)
    const wholly = { isSo: true }
    try {
      const visit = { folder: place.path, as, state, notes, wholly }
      if (folder.new !== undefined) await this.inNew(folder.new, visit)
      // What is moved from there to `cur` meanwhile is known there.
      notes.flush()
      if (folder.cur !== undefined) await this.inCur(folder.cur, visit)
    } finally {
      notes.flush()
      await folder.close()
    }
    const changedMs = [folder.cur?.mtimeMs, folder.new?.mtimeMs]
    const isSettled = changedMs.every((at) => at === undefined || at < this.context.now() - SETTLED_MS)
    return wholly.isSo && isSettled ? { day: state.day, changedMs } : undefined
  }

  private async isUnchanged({ path }: MaildirPlace, { changedMs }: Looked): Promise<boolean> {
    try {
      const found = await Promise.all(['cur', 'new'].map(async (name) => (await lstat(join(path, name))).mtimeMs))
      return found.every((at, i) => at === changedMs[i])
    } catch {
      // Whoever opens it will say what is wrong.
      return false
    }
  }

  /** What somebody has moved there, unread, teaches; what came by itself is noted, so that it does not later. */
  private async inNew(sub: OpenSub, visit: Visit): Promise<void> {
    for await (const file of this.names(sub, visit)) {
      const name = baseOf(file)
      const known = this.known(name, visit)
      if (known?.here === true) continue
      const moved = await this.wasMoved(join(sub.way, file))
      if (moved === false) visit.notes.seen({ name, taught: 'delivered' })
      else if (moved === undefined) visit.wholly.isSo = false
      else await this.learn({ path: join(sub.way, file), name, before: known?.taught }, visit)
    }
  }

  private async inCur(sub: OpenSub, visit: Visit): Promise<void> {
    for await (const file of this.names(sub, visit)) {
      const name = baseOf(file)
      const known = this.known(name, visit)
      if (known?.here !== true) await this.learn({ path: join(sub.way, file), name, before: known?.taught }, visit)
    }
  }

  /** `here`: in this very folder. */
  private known(name: string, { folder, state, notes }: Visit): { readonly here: boolean; readonly taught: Taught } | undefined {
    const known = this.context.watched.find(folder, name)
    if (known?.here === true && state.day - known.day >= RENEW_DAYS) notes.renewed(name)
    return known
  }

  private async learn({ path, name, before }: { readonly path: string; readonly name: string; readonly before: Taught | undefined }, { as, state, notes, wholly }: Visit): Promise<void> {
    if (state.left <= 0) {
      wholly.isSo = false
      return
    }
    const taught = before === as ? as : await this.teach(path, as, before)
    // It may have been moved on while it was looked at.
    if (taught === undefined) {
      wholly.isSo = false
      return
    }
    state.left--
    if (taught === as && before !== as) state.learned++
    notes.seen({ name, taught })
    await turn()
  }

  /** Undefined: it is not there any more, or cannot be looked at. */
  private async wasMoved(path: string): Promise<boolean | undefined> {
    try {
      const { ctimeMs, mtimeMs } = await lstat(path)
      return ctimeMs - mtimeMs > DELIVERY_MS
    } catch (error) {
      if (!isMissing(error)) this.tell('a message of a folder that teaches cannot be looked at', error)
      return undefined
    }
  }

  private async* names({ way }: OpenSub, { state, wholly, folder }: Visit): AsyncGenerator<string, void> {
    let left = this.bounds.names
    try {
      for await (const { name } of await opendir(way)) {
        await this.pace(state)
        if (name.startsWith('.')) continue
        if (--left < 0) {
          this.tell('a folder that teaches has more messages than are looked at', new Error(`${folder}: more than ${this.bounds.names}`))
          return
        }
        yield name
      }
    } catch (error) {
      if (!isOfFiles(error)) throw error
      wholly.isSo = false
      this.tell('a folder that teaches cannot be read', error)
    }
  }

  /** Undefined: it is not there any more, or cannot be read now. */
  private async teach(path: string, as: 'spam' | 'ham', before: Taught | undefined): Promise<Taught | undefined> {
    const bytes = await this.read(path)
    if (bytes === undefined || bytes === 'nothing') return bytes
    const reader = new MimeReader()
    reader.write(bytes)
    const content = readContent(reader.end())
    // Who has said himself that it is wanted may take that back.
    if (as === 'spam' && before !== 'ham' && isTagged(content, this.context.hostname)) return 'nothing'
    try {
      await this.context.learner.learn(content, as)
    } catch (error) {
      throw new Unlearnable('nothing can be learned', { cause: error })
    }
    return as
  }

  private async read(path: string): Promise<Buffer | 'nothing' | undefined> {
    try {
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      try {
        const found = await file.stat()
        if (!found.isFile() || found.size > this.bounds.bytes) return 'nothing'
        return await file.readFile()
      } finally {
        await file.close()
      }
    } catch (error) {
      // A symbolic link.
      if (codeOf(error) === 'ELOOP') return 'nothing'
      if (!isMissing(error)) this.tell('a message of a folder that teaches cannot be read', error)
      return undefined
    }
  }

  private tell(what: string, error: unknown): void {
    const cause = error instanceof Error ? error.message : String(error)
    const code = error instanceof Error && 'code' in error ? String(error.code) : cause
    if (this.told.has(`${what} ${code}`) || this.told.size >= MAX_TOLD) return
    this.told.add(`${what} ${code}`)
    this.context.log.warn({ cause }, what)
  }
}

/** maildir(5): what stands behind `:2,` are flags. */
function baseOf(name: string): string {
  const flags = name.indexOf(':2,')
  return flags < 0 ? name : name.slice(0, flags)
}

/** By us: our fields stand above our Authentication-Results, which nobody else can have written. A stranger's say nothing. */
function isTagged({ mime }: MessageContent, hostname: string): boolean {
  const fields = mime.parts[0]?.fields ?? []
  const ours = fields.findIndex(({ name, raw }) => name === 'authentication-results' && raw.trim().toLowerCase().startsWith(`${hostname.toLowerCase()};`))
  return fields.slice(0, Math.max(0, ours)).some(({ name, raw }) => name === 'x-spam-flag' && raw.trim().toLowerCase() === 'yes')
}

function isOfFiles(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
