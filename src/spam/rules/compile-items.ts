/**
 * Makes closures of what is asked of items: of a link, an attachment, a part or
 * an address. A message may have a thousand links that share a few hosts, so
 * what each says of itself is looked at first, and of those that are left
 * nothing is asked one by one that the patterns tell of all of them at once.
 */
import type { Address } from './addresses.ts'
import { both, OPERATORS } from './arithmetic.ts'
import type { ItemTest, Quantity } from './condition.ts'
import { cheapestFirst, effortOfTest } from './effort.ts'
import type { Numbering } from './guards.ts'
import type { ItemSource } from './item-sources.ts'
import type { Run } from './run.ts'
import type { PatternPlace } from './scanned-texts.ts'
import { wordsOf } from './texts.ts'
import { allOf, anyOf, not, ofOne } from './truth.ts'
import type { Truth } from './truth.ts'

type ItemQuestion<T> = (item: T, run: Run) => Truth

/** So many are asked one by one as soon as their values are. */
const FEW_ITEMS = 4

export class ItemCompiler<T> {
  readonly #source: ItemSource<T>
  readonly #numbering: Numbering

  constructor(source: ItemSource<T>, numbering: Numbering) {
    this.#source = source
    this.#numbering = numbering
  }

  /** Does it hold for one of them? */
  some(where: ItemTest): (run: Run) => Truth {
    const { list } = this.#source
    const easy = this.#easy(where)
    const ofNone = this.#ofNone(where)
    const ask = this.#rest(where)
    return (run) => {
      const items = list(run.view)
      if (items === undefined) return undefined
      if (ofNone !== undefined && areMany(items, easy, run) && ofNone(run)) return false
      let known = true
      for (let at = 0; at < items.length; at++) {
        const item = items[at] as T
        if (allOf(easy, item, run) !== true) continue
        const answer = ask(item, run)
        if (answer === true) return true
        if (answer === undefined) known = false
      }
      return known ? false : undefined
    }
  }

  /** The first that it holds for. */
  first(where: ItemTest): (run: Run) => T | undefined {
    const { list } = this.#source
    const ask = this.#question(where)
    return (run) => list(run.view)?.find((item) => ask(item, run) === true)
  }

  /** How many it holds for, or how many different values of a field these have. */
  count({ where, different }: Extract<Quantity, { kind: 'items' }>): (run: Run) => number | undefined {
    const { list, fields } = this.#source
    const left = this.#left(where)
    const ask = this.#rest(where)
    const field = different === undefined ? undefined : fields.get(different)
    return (run) => {
      const items = list(run.view)
      if (items === undefined) return undefined
      const found: T[] = []
      for (const item of left(items, run)) {
        const holds = ask(item, run)
        if (holds === undefined) return undefined
        if (holds) found.push(item)
      }
      if (field?.type !== 'text') return found.length
      return new Set(found.flatMap((item) => wordsOf(field.read(item)))).size
    }
  }

  /** Those that it may hold for: what is at hand says nothing else, nor do the patterns. */
  #left(where: ItemTest): (items: readonly T[], run: Run) => readonly T[] {
    const easy = this.#easy(where)
    const ofNone = this.#ofNone(where)
    return (items, run) => {
      const left = easy.length === 0 ? items : items.filter((item) => allOf(easy, item, run) === true)
      return left.length > FEW_ITEMS && ofNone?.(run) === true ? [] : left
    }
  }

  /** What is at hand. */
  #easy(where: ItemTest): readonly ItemQuestion<T>[] {
    return partsOf(where).filter(isAtHand).map((one) => this.#question(one))
  }

  /** What is to be asked of them still. */
  #rest(where: ItemTest): ItemQuestion<T> {
    return this.#question({ kind: 'all', of: partsOf(where).filter((one) => !isAtHand(one)) })
  }

  /** Is it known by the patterns alone that it holds for no item? Many items have the same few values. Undefined: patterns cannot tell. */
  #ofNone(test: ItemTest): ((run: Run) => boolean) | undefined {
    switch (test.kind) {
      case 'all': {
        const parts = test.of.map((one) => this.#ofNone(one)).filter((part) => part !== undefined)
        return parts.length === 0 ? undefined : (run) => parts.some((part) => part(run))
      }
      case 'any': {
        const parts = test.of.map((one) => this.#ofNone(one))
        return parts.includes(undefined) ? undefined : (run) => parts.every((part) => part?.(run))
      }
      case 'matches': {
        const place = this.#numbering.place(this.#source.text(test.field), test.pattern)
        const slot = this.#numbering.slot(this.#source.text(test.field))
        return (run) => run.texts.anyMatches(place, slot) === false
      }
      case 'not':
      case 'words':
      case 'number':
      case 'flag':
      case 'related': return undefined
    }
  }

  #question(test: ItemTest): ItemQuestion<T> {
    switch (test.kind) {
      case 'all':
      case 'any': {
        const parts = cheapestFirst(test.of, effortOfTest).map((one) => this.#question(one))
        const [only] = parts
        if (only !== undefined && parts.length === 1) return only
        return test.kind === 'all' ? (item, run) => allOf(parts, item, run) : (item, run) => anyOf(parts, item, run)
      }
      case 'not': {
        const ask = this.#question(test.of)
        return (item, run) => not(ask(item, run))
      }
      case 'related': return (item, run) => related(this.#source.relate(item, test.by), run.view.party(test.to), test)
      case 'matches':
      case 'words':
      case 'number':
      case 'flag': return this.#ofField(test)
    }
  }

  #ofField(test: Extract<ItemTest, { field: string }>): ItemQuestion<T> {
    const field = this.#source.fields.get(test.field)
    if (field?.type === 'text' && test.kind === 'matches') {
      const place = this.#numbering.place(this.#source.text(test.field), test.pattern)
      return (item, run) => {
        const value = field.read(item)
        if (typeof value === 'string') return run.texts.matches(place, value)
        return value === undefined ? false : matchesOne(run, place, value)
      }
    }
    if (field?.type === 'text' && test.kind === 'words') {
      const words = new Set(test.words)
      if (field.lower === true) {
        return (item) => {
          const value = field.read(item)
          return typeof value === 'string' && words.has(value)
        }
      }
      return (item) => {
        const value = field.read(item)
        return typeof value === 'string' ? words.has(value) || words.has(value.toLowerCase()) : wordsOf(value).some((word) => words.has(word.toLowerCase()))
      }
    }
    if (field?.type === 'number' && test.kind === 'number') {
      const compare = OPERATORS[test.operator]
      return (item) => both(field.read(item), test.value, compare) ?? false
    }
    if (field?.type === 'flag' && test.kind === 'flag') return (item) => field.read(item) === test.is
    throw new Error(`"${test.field}" cannot be asked so`)
  }
}

function areMany<T>(items: readonly T[], easy: readonly ItemQuestion<T>[], run: Run): boolean {
  if (items.length <= FEW_ITEMS) return false
  let count = 0
  for (let at = 0; at < items.length; at++) if (allOf(easy, items[at] as T, run) === true && ++count > FEW_ITEMS) return true
  return false
}

function matchesOne(run: Run, place: PatternPlace, words: readonly string[]): Truth {
  return ofOne(words, (word) => run.texts.matches(place, word))
}

/** All of them must hold. */
function partsOf(test: ItemTest): readonly ItemTest[] {
  return test.kind === 'all' ? test.of.flatMap(partsOf) : [test]
}

/** The item alone tells, and it always tells. */
function isAtHand(test: ItemTest): boolean {
  switch (test.kind) {
    case 'all':
    case 'any': return test.of.every(isAtHand)
    case 'not': return isAtHand(test.of)
    case 'words':
    case 'number':
    case 'flag': return true
    case 'matches':
    case 'related': return false
  }
}

/** Not known where either side has nothing to compare. */
function related(mine: string | undefined, theirs: readonly Address[] | undefined, { by, same }: Pick<Extract<ItemTest, { kind: 'related' }>, 'by' | 'same'>): Truth {
  if (mine === undefined || mine === '' || theirs === undefined) return undefined
  const wanted = mine.toLowerCase()
  let known = false
  for (const address of theirs) {
    const one = address[by]
    if (one === '') continue
    if (one.toLowerCase() === wanted) return same
    known = true
  }
  return known ? !same : undefined
}
