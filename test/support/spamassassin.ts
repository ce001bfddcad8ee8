/** Rules in SpamAssassin's format out of lines, and what they say of a message: the way from the file to the hit. */
import { MimeReader } from '../../src/mime/reader.ts'
import { readContent } from '../../src/spam/content/read-content.ts'
import type { ScoringFacts } from '../../src/spam/facts.ts'
import { atOnce } from '../../src/spam/rules/in-slices.ts'
import { loadRules } from '../../src/spam/rules/load.ts'
import type { RuleProblem } from '../../src/spam/rules/rule.ts'
import { RuleSet } from '../../src/spam/rules/rule-set.ts'
import { buildRules } from '../../src/spam/spamassassin/build-rules.ts'
import type { SpamAssassinRules } from '../../src/spam/spamassassin/build-rules.ts'
import { readDirectives } from '../../src/spam/spamassassin/directives.ts'
import type { CfFile } from '../../src/spam/spamassassin/directives.ts'
import { SpamMessage } from '../../src/spam/spamassassin/texts/spam-message.ts'
import { NO_FACTS } from './rules.ts'

/** @param bytes a byte a character */
export function contentOfBytes(bytes: string) {
  const reader = new MimeReader()
  reader.write(Buffer.from(bytes.replace(/\r?\n/g, '\r\n'), 'latin1'))
  return readContent(reader.end())
}

export function spamMessage(bytes: string, facts: ScoringFacts = NO_FACTS): SpamMessage {
  return new SpamMessage(contentOfBytes(bytes), facts)
}

/** `text`: of one file, or of several by their names, in this order; all others may be included. */
export function spamRules(text: string | Readonly<Record<string, string>>, { included = {}, scoreSet = 3 }: { readonly included?: Readonly<Record<string, string>>; readonly scoreSet?: number } = {}): SpamAssassinRules {
  const fileOf = ([source, lines]: readonly [string, string]): CfFile => ({ source, text: Buffer.from(lines).toString('latin1') })
  const files = Object.entries(typeof text === 'string' ? { 'local.cf': text } : text).map(fileOf)
  const others = new Map(Object.entries(included).map((entry) => [entry[0], fileOf(entry)]))
  return atOnce(buildRules(atOnce(readDirectives(files, others, scoreSet))))
}

/** Parts of others too; in the order of the files. */
export function spamHits(text: string, message: string, facts: ScoringFacts = NO_FACTS): readonly string[] {
  const { rules } = loadRules({ files: [], others: spamRules(text).rules })
  const all = new RuleSet(rules.rules.map((rule) => ({ ...rule, score: 1 })))
  return all.evaluate(contentOfBytes(message), facts).hits.map(({ id }) => id)
}

/** `local.cf:3: problem` */
export function cfTold(problems: readonly RuleProblem[]): readonly string[] {
  return problems.map(({ source, line, problem }) => `${source}:${line ?? '-'}: ${problem}`)
}
