/**
 * Finds and reads files of rules: those that come with Postern, and those of
 * the site. All `.yaml` files of a folder, in the order of their names; what
 * begins with a dot is left out. What cannot be read is told, and the rest is
 * read. Bounds: 200 files of a folder, 1 MiB of a file.
 */
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MAX_SOURCE_BYTES } from '../../config/source.ts'
import type { RuleFile } from './load.ts'
import type { RuleProblem } from './rule.ts'

export interface RuleFolderReading {
  readonly files: readonly RuleFile[]
  readonly problems: readonly RuleProblem[]
}

const MAX_FILES = 200

/** `rules/` beside `package.json`; as far from src/ as from dist/. */
export function shippedRulesFolder(): string {
  return fileURLToPath(new URL('../../../rules', import.meta.url))
}

/** The shipped rules, then those of the site's folders. */
export async function readRuleFolders(siteFolders: readonly string[], shipped = shippedRulesFolder()): Promise<RuleFolderReading> {
  const readings = await Promise.all([readRuleFolder(shipped, false), ...siteFolders.map((folder) => readRuleFolder(folder, true))])
  return { files: readings.flatMap(({ files }) => files), problems: readings.flatMap(({ problems }) => problems) }
}

export async function readRuleFolder(folder: string, site: boolean): Promise<RuleFolderReading> {
  const names = await attempt(folder, () => readdir(folder))
  if ('problem' in names) return { files: [], problems: [names.problem] }
  const wanted = names.value.filter((name) => name.endsWith('.yaml') && !name.startsWith('.')).sort()
  const readings = await Promise.all(wanted.slice(0, MAX_FILES).map(async (name) => {
    const source = join(folder, name)
    return { source, text: await attempt(source, () => readText(source)) }
  }))
  const problems = wanted.length > MAX_FILES ? [problem(folder, `holds ${wanted.length} files of rules; only ${MAX_FILES} are read`)] : []
  return {
    files: readings.flatMap(({ source, text }) => ('value' in text ? [{ source, text: text.value, site }] : [])),
    problems: [...problems, ...readings.flatMap(({ text }) => ('problem' in text ? [text.problem] : []))],
  }
}

/** One byte more than is allowed is enough to be told that it is too large. */
async function readText(path: string): Promise<string> {
  const file = await open(path)
  try {
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

async function attempt<T>(source: string, read: () => Promise<T>): Promise<{ readonly value: T } | { readonly problem: RuleProblem }> {
  try {
    return { value: await read() }
  } catch (error) {
    return { problem: problem(source, `cannot be read: ${error instanceof Error ? error.message : String(error)}`) }
  }
}

function problem(source: string, text: string): RuleProblem {
  return { source, line: undefined, column: undefined, variable: undefined, key: '', problem: text, allowed: undefined, rule: undefined }
}
