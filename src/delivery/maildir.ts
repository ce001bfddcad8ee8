/**
 * Writes one message into one or several Maildirs, all or none.
 *
 * In each: write to `tmp` under a unique name, owner and mode set, fsync; when
 * that is done everywhere, rename all into `new`; then fsync every `new`. Only
 * then the outcome is `stored`. What fails before that is undone: files in
 * `tmp`, and those already in `new`, are removed, and the outcome says which
 * step failed where and why. Nothing is thrown for I/O.
 *
 * Line ends become LF (see line-ends.ts). The body is read once for every 16
 * mailboxes and never held whole unless it lies in memory already. No more than
 * 16 mailboxes are open in this process at once (maildir-turns.ts); a message
 * for more of them opens each anew for each step.
 */
import { constants } from 'node:fs'
import type { StoredMessage } from '../message/message.ts'
import type { Log } from '../observe/log.ts'
import { errorCode, type FileSystem } from './file-system.ts'
import { createLineEndConverter, toLineFeeds } from './line-ends.ts'
import { createFolder, MaildirError, openFolder, setOwner, step, type Folder, type FolderPlan } from './maildir-folder.ts'
import type { NameSource } from './maildir-name.ts'
import { MOST_OPEN, turnsOf } from './maildir-turns.ts'

export interface MaildirTarget {
  readonly plan: FolderPlan
  /** fields on top of the stored bytes, with CRLF */
  readonly prefix: Buffer
}

export interface MaildirContext {
  readonly files: FileSystem
  readonly names: NameSource
  readonly log: Log
  /** asked before the message becomes visible */
  readonly cancelled: () => boolean
}

export type StoreOutcome =
  | { readonly status: 'stored'; readonly paths: readonly string[] }
  | { readonly status: 'cancelled' }
  | { readonly status: 'failed'; readonly step: string; readonly path: string; readonly code: string | undefined; readonly cause: string }

/** The message in one Maildir, on its way. */
interface Copy {
  readonly target: MaildirTarget
  /** while it is open */
  folder: Folder | undefined
  name: string
  file: number | undefined
  size: number
  at: 'nowhere' | 'tmp' | 'new'
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const NAME_TRIES = 3

export async function storeInMaildirs(body: StoredMessage, targets: readonly MaildirTarget[], context: MaildirContext): Promise<StoreOutcome> {
  const copies = targets.map((target): Copy => ({ target, folder: undefined, name: '', file: undefined, size: 0, at: 'nowhere' }))
  const turns = turnsOf(context.files)
  if (copies.length <= MOST_OPEN) {
    return await turns.hold(copies.length, () => store({ body, batches: [copies], context, inTurn: (_, work) => work() }))
  }
  const batches = Array.from({ length: Math.ceil(copies.length / MOST_OPEN) }, (_, i) => copies.slice(i * MOST_OPEN, (i + 1) * MOST_OPEN))
  const inTurn: Job['inTurn'] = (batch, work) => turns.hold(batch.length, async () => {
    try {
      await work()
    } finally {
      await closeFolders(batch, context)
    }
  })
  return await store({ body, batches, context, inTurn })
}

interface Job {
  readonly body: StoredMessage
  readonly batches: readonly (readonly Copy[])[]
  readonly context: MaildirContext
  /** Does a step with the mailboxes of a batch when they may be open. */
  readonly inTurn: (batch: readonly Copy[], work: () => Promise<void>) => Promise<void>
}

async function store({ body, batches, context, inTurn }: Job): Promise<StoreOutcome> {
  const eachBatch = async (work: (batch: readonly Copy[]) => Promise<void>): Promise<void> => {
    for (const batch of batches) await inTurn(batch, () => work(batch))
  }
  try {
    const whole = body.memory === null ? null : toLineFeeds(body.memory)
    await eachBatch(async (copies) => {
      if (!context.cancelled()) await writeBatch({ body, whole, copies }, context)
    })
    if (context.cancelled()) {
      await eachBatch((copies) => undo(copies, context))
      return { status: 'cancelled' }
    }
    await eachBatch((copies) => all(copies.map((copy) => place(copy, context))))
    await eachBatch((copies) => all(copies.map((copy) => syncFolder(copy, context))))
    return { status: 'stored', paths: batches.flat().map((copy) => shownPath(copy)) }
  } catch (error) {
    await eachBatch((copies) => undo(copies, context))
    if (!(error instanceof MaildirError)) throw error
    return { status: 'failed', step: error.step, path: error.path, code: error.code, cause: error.message }
  } finally {
    await closeFolders(batches.flat(), context)
  }
}

async function closeFolders(copies: readonly Copy[], context: MaildirContext): Promise<void> {
  for (const copy of copies) {
    const { folder } = copy
    copy.folder = undefined
    await quietly(copy, context, () => folder?.close())
  }
}

/** The mailbox, opened where it is not open. */
async function reach(copy: Copy, { files }: MaildirContext): Promise<Folder> {
  copy.folder ??= await openFolder(copy.target.plan, files)
  return copy.folder
}

/** First phase: all of the message in `tmp` and on disk. */
async function writeBatch(batch: { body: StoredMessage; whole: Buffer | null; copies: readonly Copy[] }, context: MaildirContext): Promise<void> {
  const { body, whole, copies } = batch
  await all(copies.map((copy) => open(copy, context)))
  if (whole !== null) await all(copies.map((copy) => write(copy, [toLineFeeds([copy.target.prefix]), whole], context)))
  else {
    await all(copies.map((copy) => write(copy, [toLineFeeds([copy.target.prefix])], context)))
    const converter = createLineEndConverter()
    for await (const chunk of readable(body)) {
      const piece = converter.push(chunk)
      await all(copies.map((copy) => write(copy, [piece], context)))
    }
    const rest = converter.end()
    await all(copies.map((copy) => write(copy, [rest], context)))
  }
  await all(copies.map((copy) => finish(copy, context)))
}

/** The spooled body; trouble with the temporary file is I/O like any other. */
async function* readable(body: StoredMessage): AsyncGenerator<Buffer> {
  try {
    yield* body.chunks()
  } catch (error) {
    if (errorCode(error) === undefined) throw error
    throw new MaildirError('read the message', '(temporary file)', error)
  }
}

async function open(copy: Copy, context: MaildirContext): Promise<void> {
  const { plan } = copy.target
  const { files } = context
  const folder = await reach(copy, context)
  let created = false
  copy.name = context.names()
  for (let tries = 1; copy.file === undefined;) {
    const path = `${folder.tmp}/${copy.name}`
    try {
      copy.file = await files.open(path, CREATE, plan.mode & 0o666)
    } catch (error) {
      const code = errorCode(error)
      if (code === 'ENOENT' && !created) {
        await createFolder(plan, files)
        created = true
      } else if (code === 'EEXIST' && tries < NAME_TRIES) {
        copy.name = context.names()
        tries++
      } else throw new MaildirError('create file', shownTmp(copy), error)
    }
  }
  copy.at = 'tmp'
  const { file } = copy
  // The owner first: what is written then counts against his quota.
  await step('set the owner', shownTmp(copy), () => setOwner(files, file, plan.owner))
  // Not by open(2) alone: the umask may have taken bits away.
  await step('set the mode', shownTmp(copy), () => files.chmod(file, plan.mode))
}

async function write(copy: Copy, pieces: readonly Buffer[], context: MaildirContext): Promise<void> {
  const { file } = copy
  if (file === undefined) throw new Error('a copy is written before it is open')
  await step('write', shownTmp(copy), () => context.files.write(file, pieces))
  for (const piece of pieces) copy.size += piece.length
}

async function finish(copy: Copy, context: MaildirContext): Promise<void> {
  const { file } = copy
  if (file === undefined) throw new Error('a copy is finished before it is open')
  await step('sync', shownTmp(copy), () => context.files.sync(file))
  // Whatever close(2) says, the descriptor is gone.
  copy.file = undefined
  await step('close', shownTmp(copy), () => context.files.close(file))
}

/** Second phase: the message becomes visible. */
async function place(copy: Copy, context: MaildirContext): Promise<void> {
  const folder = await reach(copy, context)
  const from = `${folder.tmp}/${copy.name}`
  const to = `${folder.fresh}/${finalName(copy)}`
  await step('rename into new', shownPath(copy), async () => {
    try {
      await context.files.rename(from, to)
    } catch (error) {
      // A Maildir without `new`, but with our file in `tmp`.
      if (errorCode(error) !== 'ENOENT' || copy.target.plan.guarded) throw error
      await createFolder(copy.target.plan, context.files)
      await context.files.rename(from, to)
    }
  })
  copy.at = 'new'
}

/** Third phase: it stays visible, whatever happens. */
async function syncFolder(copy: Copy, context: MaildirContext): Promise<void> {
  const folder = await reach(copy, context)
  await folder.sync()
}

/** Takes back what is on disk. The message was not acknowledged; a copy that stays would come twice. */
async function undo(copies: readonly Copy[], context: MaildirContext): Promise<void> {
  for (const copy of copies) {
    const { file } = copy
    if (file !== undefined) await quietly(copy, context, () => context.files.close(file))
    copy.file = undefined
    if (copy.at === 'nowhere') continue
    await quietly(copy, context, async () => {
      const folder = await reach(copy, context)
      await context.files.unlink(copy.at === 'tmp' ? `${folder.tmp}/${copy.name}` : `${folder.fresh}/${finalName(copy)}`)
    })
    copy.at = 'nowhere'
  }
}

/** For what is done on the way out: its failure is told and changes nothing. */
async function quietly(copy: Copy, context: MaildirContext, action: () => Promise<void> | undefined): Promise<void> {
  try {
    await action()
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error)
    context.log.warn({ path: copy.at === 'new' ? shownPath(copy) : shownTmp(copy), code: errorCode(error), cause }, 'cannot clean up behind a delivery')
  }
}

function finalName(copy: Copy): string {
  return `${copy.name},S=${copy.size}`
}

function shownTmp(copy: Copy): string {
  return `${copy.target.plan.path.path}/tmp/${copy.name}`
}

function shownPath(copy: Copy): string {
  return `${copy.target.plan.path.path}/new/${finalName(copy)}`
}

/** Waits for all of them, also where one fails: the others still use their files. */
async function all(running: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(running)
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
