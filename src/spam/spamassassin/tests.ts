/**
 * One rule of SpamAssassin's that is no `meta` as a condition, or why it cannot
 * be honoured. Pure.
 */
import type { Pattern } from '../patterns/pattern.ts'
import type { Condition, Quantity, TextSource } from '../rules/condition.ts'
import { readCodeTest } from './code-tests.ts'
import type { Definition, Directives } from './directives.ts'
import { readHeaderTest, readPartHeaderTest } from './header-test.ts'
import type { PatternTest } from './header-test.ts'
import { patternParts } from './pattern-parts.ts'
import { compilePattern, writtenPattern } from './pattern-text.ts'
import { withTagsReplaced } from './replace-tags.ts'

export interface Honoured {
  readonly when: Condition
  /** what it counts where others count it; undefined: once */
  readonly times: Quantity | undefined
}

/** Without `maxhits` a rule counts to here. */
const MOST_HITS = 1000

export function honour(definition: Definition, directives: Directives): Honoured | string {
  const { kind, value, id } = definition
  if (/^(?:rbl)?eval:/.test(value)) return kind === 'meta' ? 'a meta rule calls no code' : ofCode(readCodeTest(value))
  if (kind === 'header') {
    const test = readHeaderTest(value)
    if (typeof test !== 'string' && 'exists' in test) return { when: { kind: 'present', in: test.exists }, times: undefined }
    return typeof test === 'string' ? test : ofPattern(id, test, directives)
  }
  if (kind === 'mimeheader') {
    const test = readPartHeaderTest(value, directives.flags.get(id) ?? [])
    return typeof test === 'string' ? test : ofPattern(id, test, directives)
  }
  const pattern = writtenPattern(value.replace(/^=~\s*/, ''))
  return typeof pattern === 'string' ? pattern : ofPattern(id, { in: sourceOf(definition, directives), pattern, negated: false }, directives)
}

function ofCode(test: Quantity | Condition | string): Honoured | string {
  if (typeof test === 'string') return test
  if (test.kind !== 'spamassassin') return { when: test as Condition, times: undefined }
  return { when: { kind: 'compare', left: test, operator: '!=', right: { kind: 'number', value: 0 } }, times: test }
}

function sourceOf({ id, kind }: Definition, { flags }: Directives): TextSource {
  switch (kind) {
    case 'body': return { kind: 'spamassassin', text: { of: 'body', subject: flags.get(id)?.includes('nosubject') !== true } }
    case 'rawbody': return { kind: 'spamassassin', text: { of: 'rawbody' } }
    case 'uri': return { kind: 'spamassassin', text: { of: 'uri' } }
    case 'full':
    case 'header':
    case 'mimeheader':
    case 'meta': return { kind: 'spamassassin', text: { of: 'full' } }
  }
}

function ofPattern(id: string, { in: source, pattern, negated }: PatternTest, { flags, tags, tagged }: Directives): Honoured | string {
  const text = tagged.has(id) ? withTagsReplaced(pattern.source, tags) : pattern.source
  if (text === undefined) return 'with its tags replaced the pattern is too long'
  const own = flags.get(id) ?? []
  const read = compilePattern({ ...pattern, source: text })
  if (typeof read === 'string') {
    const parts = own.includes('multiple') ? undefined : partsOf(text, pattern.flags)
    if (parts === undefined) return read
    const oneOf: Condition = { kind: 'any', of: parts.map((part) => ({ kind: 'matches', in: source, pattern: part })) }
    return { when: negated ? { kind: 'not', of: oneOf } : oneOf, times: undefined }
  }
  const matches: Condition = { kind: 'matches', in: source, pattern: read }
  const most = Number(own.find((flag) => flag.startsWith('maxhits='))?.slice('maxhits='.length) ?? MOST_HITS)
  return {
    when: negated ? { kind: 'not', of: matches } : matches,
    times: negated || !own.includes('multiple') ? undefined : { kind: 'occurrences', in: source, pattern: read, most: Number.isInteger(most) && most > 0 ? Math.min(most, MOST_HITS) : MOST_HITS },
  }
}

/** Below that nothing is won. */
const LONG_PATTERN = 2048

function partsOf(source: string, flags: string): readonly Pattern[] | undefined {
  const parts = source.length < LONG_PATTERN ? undefined : patternParts(source)
  const read = parts?.map((part) => compilePattern({ source: part, flags }))
  return read?.every((part) => typeof part !== 'string') === true ? read : undefined
}
