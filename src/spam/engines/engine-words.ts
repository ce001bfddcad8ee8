/**
 * What an engine said, made fit for logs, header fields and decisions: names of
 * symbols in a small alphabet, scores that are numbers within bounds, texts of
 * one printable line, and not too many of them. Never fails.
 */
import { causeText, strangerText } from '../../auth/stranger-text.ts'
import { failed, type EngineSymbol, type Failed } from './engine.ts'

export const MAX_SYMBOLS = 100
const MAX_NAME = 64
const MAX_DESCRIPTION = 160
const MAX_VIRUS_NAME = 128
const MAX_ACTION = 40
/** GTUBE is 1000 with all of them. */
const MAX_SCORE = 1_000_000

/** Undefined: no number that can be added to others. */
export function scoreOf(value: unknown): number | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
  return Math.max(-MAX_SCORE, Math.min(MAX_SCORE, value))
}

export function symbolOf({ name, score, description }: { readonly name: string; readonly score: number; readonly description?: string | undefined }): EngineSymbol {
  const text = description === undefined ? '' : strangerText(description.slice(0, 4 * MAX_DESCRIPTION), MAX_DESCRIPTION)
  return { name: symbolName(name), score, ...(text !== '' && { description: text }) }
}

function symbolName(name: string): string {
  const plain = name.slice(0, MAX_NAME).replace(/[^A-Za-z0-9_.:-]/g, '_')
  return plain === '' ? '_' : plain
}

/** Those that weigh most, in their order of weight where there are too many. */
export function mostWeighty(symbols: readonly EngineSymbol[]): readonly EngineSymbol[] {
  if (symbols.length <= MAX_SYMBOLS) return symbols
  return [...symbols].sort((a, b) => Math.abs(b.score) - Math.abs(a.score)).slice(0, MAX_SYMBOLS)
}

export function virusName(name: string): string {
  const plain = strangerText(name.slice(0, 4 * MAX_VIRUS_NAME), MAX_VIRUS_NAME)
  return plain === '' ? 'unnamed' : plain
}

export function actionWord(action: string): string {
  return strangerText(action.slice(0, 4 * MAX_ACTION), MAX_ACTION)
}

/** The cause has words of the engine's in it. */
export function failure(cause: string, engine: Failed['engine']): Failed {
  return failed(causeText(cause.slice(0, 2000)), engine)
}
