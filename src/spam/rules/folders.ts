/**
 * Finds and reads files of rules: those that come with Postern, and those of
 * the site, which are files or folders. Of a folder all `.yaml` files, in the
 * order of their names; what begins with a dot is left out. What cannot be read,
 * or is no plain file (nobody waits for a pipe), is told, and the rest is read.
 * Bounds: 200 files of a folder, 1 MiB of a file.
 */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MAX_SOURCE_BYTES } from '../../config/source.ts'
import type { RuleFile } from './load.ts'
import type { RuleProblem } from './rule.ts'

export interface RuleFilesReading {
  readonly files: readonly RuleFile[]
  readonly problems: readonly RuleProblem[]
  /** those of the problems that may pass: the system could not read what may be readable later */
  readonly unread: readonly RuleProblem[]
}

export interface RulePaths {
  /** are those that come with Postern wanted? */
  readonly shipped: boolean
  /** of the site: files, or folders of files */
  readonly paths: readonly string[]
}

const MAX_FILES = 200

/** `rules/` beside `package.json`; as far from src/ as from dist/. */
export function shippedRulesFolder(): string {
  return fileURLToPath(new URL('../../../rules', import.meta.url))
}

/** The shipped rules, then those of the site. */
export async function readRuleFiles({ shipped, paths }: RulePaths): Promise<RuleFilesReading> {
  const wanted = [...(shipped ? [{ path: shippedRulesFolder(), site: false }] : []), ...paths.map((path) => ({ path, site: true }))]
  const readings = await Promise.all(wanted.map(({ path, site }) => readPath(path, site)))
  const files = readings.flatMap((reading) => reading.files)
  const proved = shipped && await isProved(files.filter(({ site }) => !site))
  return { files: proved ? files.map((file) => (file.site ? file : { ...file, proved })) : files, problems: readings.flatMap(({ problems }) => problems), unread: readings.flatMap(({ unread }) => unread) }
}

/** Beside the shipped rules: the digest of their files, written by `npm run prove:rules` when every sample of theirs has passed. */
export const PROOF_FILE = 'proved.sha256'

export function digestOfShipped(files: readonly RuleFile[]): string {
  const hash = createHash('sha256')
  for (const { source, text } of files) hash.update(JSON.stringify([basename(source), text]))
  return hash.digest('hex')
}

/** Files that somebody has changed, or of which one is missing or more, are proved anew wherever they are read. */
async function isProved(shipped: readonly RuleFile[]): Promise<boolean> {
  try {
    return (await readFile(join(shippedRulesFolder(), PROOF_FILE), 'utf8')).trim() === digestOfShipped(shipped)
  } catch {
    return false
  }
}

async function readPath(path: string, site: boolean): Promise<RuleFilesReading> {
  const names = await attempt(path, async () => ((await stat(path)).isDirectory() ? await readdir(path) : undefined))
  if ('problem' in names) return { files: [], problems: [names.problem], unread: names.mayPass ? [names.problem] : [] }
  const wanted = names.value?.filter((name) => name.endsWith('.yaml') && !name.startsWith('.')).sort().map((name) => join(path, name)) ?? [path]
  const readings = await Promise.all(wanted.slice(0, MAX_FILES).map(async (source) => ({ source, text: await attempt(source, () => readText(source)) })))
  const problems = wanted.length > MAX_FILES ? [problem(path, `holds ${wanted.length} files of rules; only ${MAX_FILES} are read`)] : []
  const failed = readings.flatMap(({ text }) => ('problem' in text ? [text] : []))
  return {
    files: readings.flatMap(({ source, text }) => ('value' in text ? [{ source, text: text.value, site }] : [])),
    problems: [...problems, ...failed.map((one) => one.problem)],
    unread: failed.filter(({ mayPass }) => mayPass).map((one) => one.problem),
  }
}

/** One byte more than is allowed is enough to be told that it is too large. */
async function readText(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    if (!(await file.stat()).isFile()) throw new Error('it is no plain file')
    const bytes = Buffer.alloc(MAX_SOURCE_BYTES + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length)
      length += bytesRead
      if (bytesRead === 0 || length === bytes.length) return bytes.toString('utf8', 0, length)
    }
  } finally {
    await file.close()
  }
}

async function attempt<T>(source: string, read: () => Promise<T>): Promise<{ readonly value: T } | { readonly problem: RuleProblem; readonly mayPass: boolean }> {
  try {
    return { value: await read() }
  } catch (error) {
    return { problem: problem(source, `cannot be read: ${error instanceof Error ? error.message : String(error)}`), mayPass: isOfTheSystem(error) }
  }
}

/** Too many open files, a disk that is not there yet, rights: all of it may be otherwise in a while. */
export function isOfTheSystem(error: unknown): boolean {
  return error instanceof Error && 'errno' in error
}

function problem(source: string, text: string): RuleProblem {
  return { source, line: undefined, column: undefined, variable: undefined, key: '', problem: text, allowed: undefined, rule: undefined }
}
