/**
 * What a format is: it reads a raw value (from the file, the environment or a
 * default) into a typed one, or says what is wrong with it. Formats are pure:
 * files and references are checked later. Here also the formats of plain
 * values: words, numbers, durations, sizes, switches, lists.
 */
import type { KeyPath } from './problem.ts'
import { suggestion } from './nearest.ts'
import { showValue } from './source.ts'
import type { Raw } from './source.ts'

export interface FormatProblem {
  /** where inside the value: `[2]` in a list; empty for the value itself */
  readonly at: KeyPath
  readonly problem: string
  readonly allowed: string | undefined
}

export type Reading<T> =
  | { readonly status: 'read'; readonly value: T }
  | { readonly status: 'refused'; readonly problems: readonly FormatProblem[] }

export interface Format<T> {
  /** one word or two for the reference: `duration`, `list of networks` */
  readonly type: string
  /** what may stand here, for errors and for the reference */
  readonly allowed: string
  readonly unit?: string
  /** keys of a mapping that may stand here, and what they mean */
  readonly parts?: Readonly<Record<string, string>>
  read(raw: Raw): Reading<T>
}

export function read<T>(value: T): Reading<T> {
  return { status: 'read', value }
}

export function refuse(problem: string, allowed?: string): { status: 'refused'; problems: readonly FormatProblem[] } {
  return { status: 'refused', problems: [{ at: [], problem, allowed }] }
}

/** A format of one word: refuses lists, mappings, `true`, `false` and nothing before `parse` sees the text. */
export function textFormat<T>(about: { type: string; allowed: string; unit?: string }, parse: (text: string) => Reading<T>): Format<T> {
  return {
    ...about,
    read(raw) {
      if (typeof raw !== 'string') return refuse(`found ${showValue(raw)}`, about.allowed)
      if (/[\x00-\x1f\x7f]/.test(raw)) return refuse(`found ${showValue(raw)}, which holds control characters`, about.allowed)
      const reading = parse(raw)
      if (reading.status === 'read') return reading
      return { status: 'refused', problems: reading.problems.map((p) => ({ ...p, allowed: p.allowed ?? about.allowed })) }
    },
  }
}

export function oneOf<T extends string>(...words: readonly T[]): Format<T> {
  return textFormat({ type: 'word', allowed: words.join(', ') }, (text) => {
    const found = words.find((word) => word === text)
    return found === undefined ? refuse(`found ${showValue(text)}${suggestion(text, words)}`) : read(found)
  })
}

export function integer(bounds: { min: number; max: number; unit?: string }): Format<number> {
  const about = { type: 'integer', allowed: `an integer from ${bounds.min} to ${bounds.max}`, ...(bounds.unit === undefined ? {} : { unit: bounds.unit }) }
  return textFormat(about, (text) => {
    if (!/^-?[0-9]{1,15}$/.test(text)) return refuse(`found ${showValue(text)}`)
    const value = Number(text)
    return value < bounds.min || value > bounds.max ? refuse(`found ${value}, which is out of range`) : read(value)
  })
}

/** `auto`, or a number of processes. */
export const workerCount: Format<number | 'auto'> = textFormat<number | 'auto'>(
  { type: 'integer or auto', allowed: 'auto, or an integer from 0 to 64', unit: 'processes' },
  (text) => {
    if (text === 'auto') return read('auto')
    return /^[0-9]{1,3}$/.test(text) && Number(text) <= 64 ? read(Number(text)) : refuse(`found ${showValue(text)}`)
  })

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A number with its unit, in milliseconds. */
export function duration(bounds: { min: string; max: string }): Format<number> {
  const min = milliseconds(bounds.min) ?? 0
  const max = milliseconds(bounds.max) ?? 0
  const about = { type: 'duration', allowed: `a duration such as 500ms, 5s, 10m, 2h or 1d, from ${bounds.min} to ${bounds.max}` }
  return textFormat(about, (text) => {
    if (/^[0-9]+$/.test(text)) return refuse(`found ${showValue(text)}, which has no unit`)
    const value = milliseconds(text)
    if (value === undefined) return refuse(`found ${showValue(text)}`)
    return value < min || value > max ? refuse(`found ${showValue(text)}, which is out of range`) : read(value)
  })
}

function milliseconds(text: string): number | undefined {
  const match = /^([0-9]{1,9})(ms|s|m|h|d)$/.exec(text)
  const unit = MILLISECONDS[match?.[2] ?? '']
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit
}

const BYTES: Readonly<Record<string, number>> = {
  '': 1, b: 1, kb: 1000, mb: 1000 ** 2, gb: 1000 ** 3, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3,
}

/** A number of bytes, with or without a unit: MB is a million, MiB is 1048576. */
export function size(bounds: { min: string; max: string }): Format<number> {
  const min = bytes(bounds.min) ?? 0
  const max = bytes(bounds.max) ?? 0
  const about = { type: 'size', allowed: `a size such as 50MB, 1GiB or 4096, from ${bounds.min} to ${bounds.max}`, unit: 'bytes' }
  return textFormat(about, (text) => {
    const value = bytes(text)
    if (value === undefined) return refuse(`found ${showValue(text)}`)
    return value < min || value > max ? refuse(`found ${showValue(text)}, which is out of range`) : read(value)
  })
}

function bytes(text: string): number | undefined {
  const match = /^([0-9]{1,12}) ?([kmg]i?b|b)?$/i.exec(text)
  const unit = BYTES[(match?.[2] ?? '').toLowerCase()]
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit
}

const SWITCH: ReadonlyMap<string, boolean> = new Map([
  ['true', true], ['yes', true], ['on', true], ['false', false], ['no', false], ['off', false],
])

export const flag: Format<boolean> = {
  type: 'switch',
  allowed: 'true, false',
  read(raw) {
    const value = typeof raw === 'boolean' ? raw : typeof raw === 'string' ? SWITCH.get(raw) : undefined
    return value === undefined ? refuse(`found ${showValue(raw)}`, 'true, false') : read(value)
  },
}

/**
 * A list; where it comes from the environment, its items are parted by commas.
 * A single value stands for a list of one.
 */
export function listOf<T>(item: Format<T>, bounds: { min: number; max: number; type: string }): Format<readonly T[]> {
  const count = `${bounds.min === 0 ? 'at most' : `${bounds.min} to`} ${bounds.max}`
  return {
    type: bounds.type,
    allowed: `${count} of: ${item.allowed}`,
    ...(item.parts === undefined ? {} : { parts: item.parts }),
    read(raw) {
      const items = Array.isArray(raw) ? raw as readonly Raw[] : typeof raw === 'string' ? splitList(raw) : [raw as Raw]
      if (items.length > bounds.max) return refuse(`found ${items.length} entries`, `at most ${bounds.max}`)
      if (items.length < bounds.min) return refuse('found an empty list', `at least ${bounds.min} of: ${item.allowed}`)
      const values: T[] = []
      const problems: FormatProblem[] = []
      for (const [i, one] of items.entries()) {
        const reading = item.read(one)
        if (reading.status === 'read') values.push(reading.value)
        else problems.push(...reading.problems.map((p) => ({ ...p, at: Array.isArray(raw) ? [i, ...p.at] : p.at })))
      }
      return problems.length > 0 ? { status: 'refused', problems } : read(values)
    },
  }
}

function splitList(text: string): readonly string[] {
  return text.trim() === '' ? [] : text.split(',').map((part) => part.trim())
}

/** A mapping inside a list, such as `{ cert, key }`: its known keys, and problems for all others. */
export function readMapping(raw: ReadonlyMap<string, Raw>, known: readonly string[]): readonly FormatProblem[] {
  return Array.from(raw.keys()).filter((key) => !known.includes(key)).map((key) => ({
    at: [key], problem: `unknown key${suggestion(key, known)}`, allowed: known.join(', '),
  }))
}
