/**
 * What spamscanner's `scan` resolves to, made an outcome. Version 7 has a
 * score, a threshold and `tests`; versions 5 and 6 have `isSpam` (`is_spam`)
 * and what each of its detectors found, so the score is made up: the threshold,
 * where it calls a message spam, otherwise 0. Not where its only reason is that
 * it has seen a pattern: to version 6 each link is one, and so it would say spam
 * of most wanted mail. Undefined for what is neither.
 */
import { actionWord, mostWeighty, scoreOf, symbolOf, virusName } from './engine-words.ts'
import type { Attempt, EngineSymbol } from './engine.ts'

/** The threshold of version 7, for those that have none. */
const THRESHOLD = 5
/** Those that find telephone numbers, paths and the like, which are in any mail. */
const HARMLESS = ['patterns'] as const
const DETECTORS = ['phishing', 'executables', 'macros', 'arbitrary', 'toxicity', 'nsfw', ...HARMLESS] as const
const MAX_FINDINGS = 20
const MAX_TESTS = 500

type Fields = Readonly<Record<string, unknown>>

/** In the child: its result without the parsed message, its tokens and links, as plain JSON of a bounded size. */
export function trimmedResult(result: unknown): unknown {
  if (!isObject(result)) return null
  const { isSpam, is_spam: isSpam5, score, threshold, action, tests, results } = result
  const found = isObject(results) ? results : {}
  const findings = Object.fromEntries(DETECTORS.map((name) => [name, listOf(found[name]).slice(0, MAX_FINDINGS).map((finding) => textOf(finding))]))
  return {
    isSpam: isSpam ?? isSpam5, score, threshold, action,
    tests: Array.isArray(tests) ? tests.slice(0, MAX_TESTS).filter(isObject).map((test) => ({ name: textOf(test['name']), score: test['score'], description: textOf(test['description']) })) : undefined,
    findings,
    classification: isObject(found['classification']) ? { category: textOf(found['classification']['category']), probability: found['classification']['probability'] } : undefined,
    homograph: isObject(found['idnHomographAttack']) && found['idnHomographAttack']['detected'] === true ? true : undefined,
    denylisted: isObject(found['reputation']) && found['reputation']['isDenylisted'] === true ? { description: textOf(found['reputation']['denylistValue']) } : undefined,
    viruses: listOf(found['viruses']).slice(0, MAX_FINDINGS).map(virusText),
  }
}

/** Here: what came over from the child. */
export function parseSpamscannerResult(result: unknown): Exclude<Attempt, { status: 'failed' }> | undefined {
  if (!isObject(result)) return undefined
  const virus = listOf(result['viruses']).find((name) => typeof name === 'string')
  if (virus !== undefined) return { status: 'virus', name: virusName(virus) }
  const { isSpam, action } = result
  const word = typeof action === 'string' ? { action: actionWord(action) } : {}
  const score = scoreOf(result['score'])
  if (score !== undefined) {
    const symbols = listOf(result['tests']).filter(isObject).map((test) => symbolOf({ name: textOf(test['name']), score: scoreOf(test['score']) ?? 0, description: textOf(test['description']) }))
    return { status: 'scored', score, threshold: scoreOf(result['threshold']) ?? THRESHOLD, symbols: mostWeighty(symbols), ...word }
  }
  if (typeof isSpam !== 'boolean') return undefined
  const symbols = findingsOf(result)
  return { status: 'scored', score: isSpam && !isHarmless(result) ? THRESHOLD : 0, threshold: THRESHOLD, symbols: mostWeighty(symbols), ...word }
}

/** Nothing is named as the reason but what is in any mail. Where nothing is named at all, its word holds. */
function isHarmless({ findings, classification, homograph, denylisted }: Fields): boolean {
  if (homograph === true || isObject(denylisted) || (isObject(classification) && textOf(classification['category']) === 'spam')) return false
  if (!isObject(findings)) return false
  const named = DETECTORS.filter((name) => listOf(findings[name]).length > 0)
  return named.length > 0 && named.every((name) => HARMLESS.some((harmless) => harmless === name))
}

function findingsOf(result: Fields): EngineSymbol[] {
  const { findings, classification } = result
  const symbols: EngineSymbol[] = []
  if (isObject(classification) && textOf(classification['category']) !== '') {
    const { category, probability } = classification
    const share = typeof probability === 'number' ? ` ${Math.round(probability * 1000) / 10} %` : ''
    symbols.push(symbolOf({ name: `CLASSIFIED_${textOf(category).toUpperCase()}`, score: 0, description: `the classifier says ${textOf(category)}${share}` }))
  }
  if (result['homograph'] === true) symbols.push(symbolOf({ name: 'HOMOGRAPH', score: 0, description: 'a host of a link looks like another' }))
  const { denylisted } = result
  if (isObject(denylisted)) symbols.push(symbolOf({ name: 'DENYLISTED', score: 0, description: ['the sender is on a deny list', textOf(denylisted)].filter((part) => part !== '').join(': ') }))
  if (!isObject(findings)) return symbols
  for (const name of DETECTORS) {
    const [first, ...others] = listOf(findings[name])
    if (first !== undefined) symbols.push(symbolOf({ name: name.toUpperCase(), score: 0, description: `${textOf(first)}${others.length > 0 ? ` and ${others.length} more` : ''}` }))
  }
  return symbols
}

/** A finding is a sentence, or an object that has one. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, 500)
  if (!isObject(value)) return ''
  const text = value['description'] ?? value['message'] ?? value['type']
  return typeof text === 'string' ? text.slice(0, 500) : ''
}

/** `{filename, virus: [names]}`, or a sentence */
function virusText(finding: unknown): string {
  if (isObject(finding)) {
    const [name] = listOf(finding['virus'])
    if (typeof name === 'string') return name.slice(0, 500)
  }
  const text = textOf(finding)
  return text === '' ? 'unnamed' : text
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
