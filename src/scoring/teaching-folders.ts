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
 * Only regular files are read, no symbolic links. Bounds: folders, names of a
 * folder, messages of a round, bytes of a message. A round rejects where nothing
 * can be learned, and the next one goes on with the same message; all other
 * trouble is in the log, once for each cause.
 */
import { constants } from 'node:fs'
import { lstat, open, opendir, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { LearnFolder } from './learning-settings.ts'
import { MimeReader } from '../mime/reader.ts'
import type { Log } from '../observe/log.ts'
import type { Learner } from '../spam/bayes/learner.ts'
import type { MessageContent } from '../spam/content.ts'
import { readContent } from '../spam/content/read-content.ts'
import type { Lease } from '../state/lease.ts'
import type { Taught, WatchedFile, WatchedMail } from '../state/watched-mail.ts'

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

export interface Round {
  readonly learned: number
  /** there was more to read than one round does */
  readonly more: boolean
}

/** The store cannot be had: of no use to go on, and nothing is wrong with the folders. */
class Unlearnable extends Error {}

export class TeachingFolders {
  private readonly context: TeachingContext
  private readonly bounds: TeachingBounds
  private readonly told = new Set<string>()
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
    const day = Math.floor(now() / DAY_MS)
    if (this.stopped) return undefined
    try {
      if (!lease.hold({ now: now(), forMs: LEASE_MS })) return undefined
      const tally = { learned: 0, left: this.bounds.messages }
      for (const { folder, as } of folders) {
        for (const place of await this.places(folder)) await this.look(place, as, { tally, day })
      }
      watched.prune(day)
      return { learned: tally.learned, more: tally.left <= 0 }
    } catch (error) {
      if (error instanceof Unlearnable) throw error.cause
      this.tell('folders that teach cannot be looked at', error)
      return { learned: 0, more: false }
    }
  }

  /** The folders that a path with `*` stands for. */
  private async places(pattern: string): Promise<readonly string[]> {
    let found: readonly string[] = ['/']
    for (const part of pattern.split('/').filter((one) => one !== '')) {
      if (part !== '*') {
        found = found.map((place) => join(place, part))
        continue
      }
      const next: string[] = []
      for (const place of found) next.push(...await this.within(place, this.bounds.folders - next.length))
      found = next
    }
    return found
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

  private async look(folder: string, as: 'spam' | 'ham', { tally, day }: { readonly tally: { learned: number; left: number }; readonly day: number }): Promise<void> {
    const { watched } = this.context
    const { delivered, moved } = await this.unread(folder)
    if (delivered.length > 0) watched.remember(folder, delivered.map((name) => ({ name, taught: 'delivered' })), day)
    const seen: WatchedFile[] = []
    const renewed: string[] = []
    try {
      for (const file of [...moved, ...(await this.names(join(folder, 'cur'))).map((one) => join('cur', one))]) {
        if (this.stopped || tally.left <= 0) break
        const name = baseOf(basename(file))
        const known = watched.find(folder, name)
        if (known?.here === true) {
          if (day - known.day >= RENEW_DAYS) renewed.push(name)
          continue
        }
        const taught = known?.taught === as ? as : await this.teach(join(folder, file), as, known?.taught)
        // It may have been moved on while it was looked at.
        if (taught === undefined) continue
        tally.left--
        if (taught === as && known?.taught !== as) tally.learned++
        seen.push({ name, taught })
        await turn()
      }
    } finally {
      if (seen.length > 0) watched.remember(folder, seen, day)
      if (renewed.length > 0) watched.touch(renewed, day)
    }
  }

  /** What is new in `new`: names of what came by itself, and files that somebody has moved there. */
  private async unread(folder: string): Promise<{ readonly delivered: readonly string[]; readonly moved: readonly string[] }> {
    const found = { delivered: [] as string[], moved: [] as string[] }
    for (const file of await this.names(join(folder, 'new'))) {
      if (this.stopped) break
      const name = baseOf(file)
      if (this.context.watched.find(folder, name)?.here === true) continue
      const moved = await this.wasMoved(join(folder, 'new', file))
      if (moved === undefined) continue
      if (moved) found.moved.push(join('new', file))
      else found.delivered.push(name)
    }
    return found
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

  private async names(folder: string): Promise<readonly string[]> {
    try {
      return (await readdir(folder)).filter((name) => !name.startsWith('.')).sort().slice(0, this.bounds.names)
    } catch (error) {
      // Nobody has made it yet.
      if (!isMissing(error)) this.tell('a folder that teaches cannot be read', error)
      return []
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
      if (!isMissing(error)) this.tell('a message of a folder that teaches cannot be read', error)
      return undefined
    }
  }

  private tell(what: string, error: unknown): void {
    const cause = error instanceof Error ? error.message : String(error)
    const code = error instanceof Error && 'code' in error ? String(error.code) : cause
    if (this.told.has(`${what} ${code}`)) return
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

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP')
}
