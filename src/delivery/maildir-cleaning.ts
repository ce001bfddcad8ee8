/**
 * Removes what deliveries that died left in a Maildir's `tmp`: files not
 * changed for 36 hours (Maildir specification). Done in the background, at most
 * once a day for a Maildir and 1000 names at a time; trouble is told in the log
 * and stops nothing.
 */
import type { Log } from '../observe/log.ts'
import { errorCode, type FileSystem } from './file-system.ts'
import { openFolder, type FolderPlan } from './maildir-folder.ts'

export interface TmpCleaner {
  /** Call after a delivery. */
  visit(plan: FolderPlan): void
  /** Resolves when nothing runs any more. */
  settle(): Promise<void>
}

export interface CleanerContext {
  readonly files: FileSystem
  readonly log: Log
  readonly wallMs: () => number
  readonly monotonicMs: () => number
}

const OLD_MS = 36 * 3600 * 1000
const EVERY_MS = 24 * 3600 * 1000
const MAX_NAMES = 1000
const MAX_KNOWN = 10_000
const MAX_WAITING = 100

export function createTmpCleaner(context: CleanerContext): TmpCleaner {
  const visitedMs = new Map<string, number>()
  const waiting: FolderPlan[] = []
  let running: Promise<void> | undefined

  async function work(): Promise<void> {
    for (let plan = waiting.shift(); plan !== undefined; plan = waiting.shift()) await clean(plan, context)
  }

  return {
    visit(plan) {
      const { path } = plan.path
      const now = context.monotonicMs()
      const last = visitedMs.get(path)
      if ((last !== undefined && now - last < EVERY_MS) || waiting.length >= MAX_WAITING) return
      if (visitedMs.size >= MAX_KNOWN) visitedMs.clear()
      visitedMs.set(path, now)
      waiting.push(plan)
      running ??= work().finally(() => {
        running = undefined
      })
    },
    async settle() {
      await running
    },
  }
}

async function clean(plan: FolderPlan, context: CleanerContext): Promise<void> {
  const { files, log } = context
  try {
    const folder = await openFolder(plan, files)
    try {
      for (const name of await files.list(folder.tmp, MAX_NAMES)) await removeIfOld(`${folder.tmp}/${name}`, context)
    } finally {
      await folder.close()
    }
  } catch (error) {
    log.warn({ path: `${plan.path.path}/tmp`, code: errorCode(error), cause: error instanceof Error ? error.message : String(error) }, 'cannot clean a Maildir\'s tmp')
  }
}

async function removeIfOld(path: string, context: CleanerContext): Promise<void> {
  try {
    const facts = await context.files.lstat(path)
    if (facts.kind === 'file' && facts.modifiedMs < context.wallMs() - OLD_MS) await context.files.unlink(path)
  } catch (error) {
    // Its delivery has ended meanwhile.
    if (errorCode(error) !== 'ENOENT') throw error
  }
}
