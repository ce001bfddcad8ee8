/**
 * The answer of Rspamd to /checkv2: a JSON object with `score`,
 * `required_score`, `action`, and `symbols` by name. Undefined for what is none.
 */
import { actionWord, mostWeighty, scoreOf, symbolOf } from './engine-words.ts'
import type { EngineSymbol, Scored } from './engine.ts'

export const MAX_ANSWER_BYTES = 2_097_152
/** Beyond that nobody looks; an answer of such a size is no longer one about a message. */
const MAX_READ_SYMBOLS = 5000

export function parseRspamdAnswer(text: string): Scored | undefined {
  const answer = jsonObject(text)
  if (answer === undefined) return undefined
  const score = scoreOf(answer['score'])
  if (score === undefined) return undefined
  const threshold = scoreOf(answer['required_score'])
  const action = answer['action']
  return {
    status: 'scored', score, symbols: symbolsOf(answer['symbols']),
    ...(threshold !== undefined && { threshold }),
    ...(typeof action === 'string' && { action: actionWord(action) }),
  }
}

/** What an answer says that is an error: `{"error": "…"}`; '' where it says nothing. */
export function rspamdError(text: string): string {
  const error = jsonObject(text)?.['error']
  return typeof error === 'string' ? error.slice(0, 500) : ''
}

function symbolsOf(value: unknown): readonly EngineSymbol[] {
  if (!isObject(value)) return []
  const symbols: EngineSymbol[] = []
  for (const [key, symbol] of Object.entries(value).slice(0, MAX_READ_SYMBOLS)) {
    if (!isObject(symbol)) continue
    const score = scoreOf(symbol['score'])
    if (score === undefined) continue
    symbols.push(symbolOf({ name: key, score, description: descriptionOf(symbol) }))
  }
  return mostWeighty(symbols)
}

/** What it stands for, and what it was found in. */
function descriptionOf({ description, options }: Readonly<Record<string, unknown>>): string {
  const found = Array.isArray(options) ? options.slice(0, 5).filter((option) => typeof option === 'string').map((option) => option.slice(0, 100)) : []
  const text = typeof description === 'string' ? description.slice(0, 500) : ''
  return found.length === 0 ? text : `${text} [${found.join(', ')}]`.trim()
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
