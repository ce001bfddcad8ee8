/**
 * Rules out of a few lines of YAML, and what they say of a message: the way
 * from the file to the hit, with the real reader of mail.
 */
import assert from 'node:assert/strict'
import { MimeReader } from '../../src/mime/reader.ts'
import { readContent } from '../../src/spam/content/read-content.ts'
import type { MessageContent } from '../../src/spam/content.ts'
import type { ScoringFacts } from '../../src/spam/facts.ts'
import { loadRules } from '../../src/spam/rules/load.ts'
import type { LoadedRules, RuleSources } from '../../src/spam/rules/load.ts'
import type { RuleOutcome, RuleProblem } from '../../src/spam/rules/rule.ts'

export const NO_FACTS: ScoringFacts = { words: () => undefined, number: () => undefined }

export function factsOf(words: Readonly<Record<string, readonly string[]>>, numbers: Readonly<Record<string, number>> = {}): ScoringFacts {
  return { words: (name) => words[name], number: (name) => numbers[name] }
}

export function contentOfText(message: string): MessageContent {
  const reader = new MimeReader()
  reader.write(Buffer.from(message.replace(/\r?\n/g, '\r\n')))
  return readContent(reader.end())
}

export function load(text: string, more: Omit<RuleSources, 'files'> = {}): LoadedRules {
  return loadRules({ files: [{ source: 'test.yaml', text, site: false }], ...more })
}

/** `file:line: problem; allowed` */
export function told(problems: readonly RuleProblem[]): readonly string[] {
  return problems.map(({ source, line, problem, allowed }) => `${source}:${line ?? '-'}: ${problem}${allowed === undefined ? '' : `; ${allowed}`}`)
}

/** A part of others needs no samples; RULE rests on it. */
export function ruleWith(when: string): string {
  return `rules:
  - id: __ASKED
    why: Something that a test asks
    when: ${when}
  - id: RULE
    score: 1
    why: What the test asks holds
    when: { rule: __ASKED }
    hits: [{ subject: none }]
    misses: [{ subject: none }]
`
}

/** What a condition, in one line of YAML, says of a message. */
export function outcomeOf(when: string, message: string, facts = NO_FACTS): RuleOutcome {
  const digest = load(ruleWith(when)).proof.digest
  const { rules, problems } = load(ruleWith(when), { proof: { digest, failures: [] } })
  assert.deepEqual(told(problems), [])
  return rules.evaluate(contentOfText(message), facts)
}

export function holds(when: string, message: string, facts = NO_FACTS): boolean {
  return outcomeOf(when, message, facts).hits.length > 0
}

/** The first problem with a condition. */
export function problemWith(when: string): string {
  const [first] = told(load(ruleWith(when)).problems)
  assert.ok(first !== undefined, `nothing is wrong with ${when}`)
  return first
}
