/**
 * What a rule may ask, as data. Types only.
 *
 * Readers of rule files make it (ours, and others' formats), `compile.ts` makes
 * of it what a message is asked by. Three layers: texts are what patterns look
 * at; quantities are numbers; conditions are true, false, or not known. Whatever
 * a file calls a condition comes down to these, so a further format needs no
 * evaluator of its own. It is plain data throughout: it may be sent to another
 * process.
 */
import type { NumberFact, WordFact } from '../facts.ts'
import type { Pattern } from '../patterns/pattern.ts'
import type { SpamQuestion, SpamText } from '../spamassassin/texts/spam-text.ts'
import type { Party } from './addresses.ts'
import type { MeasureName } from './measures.ts'

/**
 * Values that are texts: none, one or several; a condition over them holds
 * where it holds for one. Patterns over the same texts are matched together.
 */
export type TextSource =
  /** one value, see content.ts; raw: all text parts decoded, with their HTML; full: header section and raw */
  | { readonly kind: 'subject' | 'text' | 'hidden' | 'folded' | 'raw' | 'full' }
  /** the message's fields of these names, lower case */
  | {
      readonly kind: 'header'
      readonly names: readonly string[]
      /** decoded; bytes as characters; the name as it is spelled */
      readonly form: 'text' | 'raw' | 'spelling'
      readonly which: 'each' | 'first' | 'last'
      /** the value where there is no such field */
      readonly unset?: string
    }
  /** all fields of the message in their order, `Name: value` and a line end each; one value */
  | { readonly kind: 'header-section'; readonly form: 'text' | 'raw' }
  | { readonly kind: 'address'; readonly of: Party; readonly field: string }
  | { readonly kind: 'link' | 'attachment' | 'part'; readonly field: string }
  | { readonly kind: 'fact'; readonly name: WordFact }
  /** as declared by text parts; of the text, not known where it is short; of the whole message */
  | { readonly kind: 'charset' | 'language' | 'defect' }
  /** texts of SpamAssassin's: its values are the pieces of one text */
  | { readonly kind: 'spamassassin'; readonly text: SpamText }

export type Operator = '>' | '>=' | '<' | '<=' | '=' | '!='

export type Quantity =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'measure'; readonly name: MeasureName }
  | { readonly kind: 'fact'; readonly name: NumberFact }
  /** of the letters, in these scripts together, 0 to 1 */
  | { readonly kind: 'scripts'; readonly names: readonly string[] }
  /** how many values; characters of the longest of them (not known where there is none) */
  | { readonly kind: 'values' | 'length'; readonly in: TextSource }
  /** how often it matches, without overlap, in all values together */
  | { readonly kind: 'occurrences'; readonly in: TextSource; readonly pattern: Pattern; readonly most: number }
  /** how many there are, or how many different values of one field they have */
  | { readonly kind: 'items'; readonly of: ItemSelection; readonly where: ItemTest; readonly different?: string }
  /** 1 where it holds, 0 where it does not */
  | { readonly kind: 'truth'; readonly of: Condition }
  /** how often a rule hit: its `times`, otherwise 1 or 0 */
  | { readonly kind: 'rule'; readonly id: string }
  /** how often what SpamAssassin asks by code holds */
  | { readonly kind: 'spamassassin'; readonly question: SpamQuestion }
  /** the first that is not 0; the last, where none is 0 */
  | { readonly kind: 'either' | 'both'; readonly of: readonly Quantity[] }
  | { readonly kind: 'choose'; readonly by: Condition; readonly yes: Quantity; readonly no: Quantity }
  /** what is divided by 0 is not known */
  | { readonly kind: '+' | '-' | '*' | '/'; readonly left: Quantity; readonly right: Quantity }

export type ItemSelection =
  | { readonly kind: 'link' | 'attachment' | 'part' }
  | { readonly kind: 'address'; readonly of: Party }

/** Asked of one item: all of it must hold for the same one. */
export type ItemTest =
  | { readonly kind: 'all' | 'any'; readonly of: readonly ItemTest[] }
  | { readonly kind: 'not'; readonly of: ItemTest }
  | { readonly kind: 'matches'; readonly field: string; readonly pattern: Pattern }
  /** lower case; compared without regard to case */
  | { readonly kind: 'words'; readonly field: string; readonly words: readonly string[] }
  | { readonly kind: 'number'; readonly field: string; readonly operator: Operator; readonly value: number }
  | { readonly kind: 'flag'; readonly field: string; readonly is: boolean }
  /** is it the same as one of the other's? Not known where either has none. */
  | { readonly kind: 'related'; readonly to: Party; readonly by: Relation; readonly same: boolean }

export type Relation = 'organization' | 'domain' | 'address' | 'local' | 'name'

export type Condition =
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'rule'; readonly id: string }
  | { readonly kind: 'matches'; readonly in: TextSource; readonly pattern: Pattern }
  /** lower case; compared without regard to case */
  | { readonly kind: 'words'; readonly in: TextSource; readonly words: readonly string[] }
  | { readonly kind: 'present'; readonly in: TextSource }
  | { readonly kind: 'some'; readonly of: ItemSelection; readonly where: ItemTest }
  | { readonly kind: 'compare'; readonly left: Quantity; readonly operator: Operator; readonly right: Quantity }

/** What conditions ask for, each once. */
export interface Asked {
  readonly rules: ReadonlySet<string>
  /** numbers that are facts */
  readonly facts: ReadonlySet<NumberFact>
}

interface Found extends Asked {
  readonly rules: Set<string>
  readonly facts: Set<NumberFact>
}

export function askedBy({ when, times }: { readonly when: Condition; readonly times?: Quantity }): Asked {
  const found: Found = { rules: new Set(), facts: new Set() }
  collect(when, found)
  if (times !== undefined) collectQuantity(times, found)
  return found
}

/** Rules that it refers to, each once. */
export function rulesIn(condition: Condition): readonly string[] {
  return [...askedBy({ when: condition }).rules]
}

export function rulesInQuantity(quantity: Quantity): readonly string[] {
  const found: Found = { rules: new Set(), facts: new Set() }
  collectQuantity(quantity, found)
  return [...found.rules]
}

function collect(condition: Condition, found: Found): void {
  switch (condition.kind) {
    case 'all':
    case 'any':
      for (const one of condition.of) collect(one, found)
      return
    case 'not': return collect(condition.of, found)
    case 'rule': found.rules.add(condition.id); return
    case 'compare':
      collectQuantity(condition.left, found)
      collectQuantity(condition.right, found)
      return
    case 'matches':
    case 'words':
    case 'present':
    case 'some': return
  }
}

function collectQuantity(quantity: Quantity, found: Found): void {
  switch (quantity.kind) {
    case 'rule': found.rules.add(quantity.id); return
    case 'fact': found.facts.add(quantity.name); return
    case 'truth': return collect(quantity.of, found)
    case 'either':
    case 'both':
      for (const one of quantity.of) collectQuantity(one, found)
      return
    case 'choose':
      collect(quantity.by, found)
      collectQuantity(quantity.yes, found)
      collectQuantity(quantity.no, found)
      return
    case '+':
    case '-':
    case '*':
    case '/':
      collectQuantity(quantity.left, found)
      collectQuantity(quantity.right, found)
      return
    case 'number':
    case 'measure':
    case 'scripts':
    case 'values':
    case 'length':
    case 'occurrences':
    case 'spamassassin':
    case 'items': return
  }
}
