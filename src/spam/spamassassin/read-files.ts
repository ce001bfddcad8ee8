/**
 * Finds and reads SpamAssassin's files: of a folder all `*.cf` in the order of
 * their names, folders in the order in which they are named, so that a site's
 * folder behind the shipped one has the last word; and what `include` lines name.
 * What cannot be read is told, and the rest is read. Bounds: 500 files, 8 MiB of
 * a file, 64 MiB of all.
 */
import { constants } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { NOWHERE } from '../../config/problem.ts'
import { isOfTheSystem } from '../rules/folders.ts'
import type { RuleFilesReading } from '../rules/folders.ts'
import { inSlices } from '../rules/in-slices.ts'
import type { RuleProblem } from '../rules/rule.ts'
import { buildRules } from './build-rules.ts'
import type { SpamAssassinRules } from './build-rules.ts'
import { readCfLines } from './cf-lines.ts'
import { includedPath, readDirectives } from './directives.ts'
import type { CfFile } from './directives.ts'
import { scoreSetOf } from './scores.ts'

export interface SpamAssassinOptions {
  /** a classifier takes part, and so do network tests: which of the four scores of a rule counts */
  readonly bayes?: boolean
  readonly network?: boolean
  /** the same work; whoever wants to see what it takes may end it by an error */
  readonly watch?: <T>(work: Generator<void, T>) => Generator<void, T>
}

const MAX_FILES = 500
const MAX_FILE_BYTES = 8 * 1024 * 1024
const MAX_ALL_BYTES = 64 * 1024 * 1024

/** @param paths files and folders */
export async function readSpamAssassin(paths: readonly string[], { bayes = true, network = true, watch = (work) => work }: SpamAssassinOptions = {}): Promise<SpamAssassinRules & Pick<RuleFilesReading, 'unread'>> {
  const reader = new FileReader()
  const files: CfFile[] = []
  for (const path of paths) for (const name of await reader.filesOf(path)) files.push(...await reader.read(name))
  const included = new Map<string, CfFile>()
  // The list grows while files are found that include others.
  const waiting = [...files]
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    for (const path of includesOf(file)) {
      if (included.has(path)) continue
      const [found] = await reader.read(path)
      if (found === undefined) continue
      included.set(path, found)
      waiting.push(found)
    }
  }
  const built = await inSlices(watch(interpreted(files, included, scoreSetOf({ bayes, network }))))
  return { ...built, problems: [...reader.problems, ...built.problems], unread: reader.unread }
}

function* interpreted(files: readonly CfFile[], included: ReadonlyMap<string, CfFile>, scoreSet: number): Generator<void, SpamAssassinRules> {
  const directives = yield* readDirectives(files, included, scoreSet)
  return yield* buildRules(directives)
}

class FileReader {
  readonly problems: RuleProblem[] = []
  readonly unread: RuleProblem[] = []
  #files = 0
  #bytes = 0

  async filesOf(path: string): Promise<readonly string[]> {
    try {
      if (!(await stat(path)).isDirectory()) return [path]
      return (await readdir(path)).filter((name) => name.endsWith('.cf') && !name.startsWith('.')).sort().map((name) => join(path, name))
    } catch (error) {
      this.#unreadable(path, error)
      return []
    }
  }

  /** Empty where it cannot be read. */
  async read(source: string): Promise<readonly CfFile[]> {
    if (++this.#files > MAX_FILES) {
      if (this.#files === MAX_FILES + 1) this.#tell(source, `there are more than ${MAX_FILES} files; this one and those behind it are not read`)
      return []
    }
    try {
      const text = await readBytes(source)
      this.#bytes += text.length
      if (text.length <= MAX_FILE_BYTES && this.#bytes <= MAX_ALL_BYTES) return [{ source, text }]
      this.#tell(source, text.length > MAX_FILE_BYTES ? `has more than ${MAX_FILE_BYTES} bytes` : `all files together have more than ${MAX_ALL_BYTES} bytes`)
    } catch (error) {
      this.#unreadable(source, error)
    }
    return []
  }

  #unreadable(source: string, error: unknown): void {
    const told = this.#tell(source, `cannot be read: ${messageOf(error)}`)
    if (isOfTheSystem(error)) this.unread.push(told)
  }

  #tell(source: string, problem: string): RuleProblem {
    const told = { ...NOWHERE, source, key: '', problem, allowed: undefined, rule: undefined }
    this.problems.push(told)
    return told
  }
}

/** One byte more than is allowed is enough to be told that it is too large. */
async function readBytes(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    // Nobody waits for a pipe.
    if (!(await file.stat()).isFile()) throw new Error('it is no plain file')
    const pieces: Buffer[] = []
    let length = 0
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(65_536), 0, 65_536)
      if (bytesRead === 0) break
      pieces.push(buffer.subarray(0, bytesRead))
      length += bytesRead
      if (length > MAX_FILE_BYTES) break
    }
    return Buffer.concat(pieces).toString('latin1')
  } finally {
    await file.close()
  }
}

function includesOf({ source, text }: CfFile): readonly string[] {
  if (!/^[ \t]*include[ \t]/im.test(text)) return []
  return readCfLines(text).flatMap((entry) => ('problem' in entry || entry.keyword !== 'include' || entry.value === '' ? [] : [includedPath(source, entry.value)]))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
