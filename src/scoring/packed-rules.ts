/**
 * Rules on their way from who has read their files to who asks them: bytes in
 * pieces, which a process takes in one by one while it has other things to do.
 * Both ends are of one version; bytes that are not such rules throw.
 */
import { deserialize, serialize } from 'node:v8'
import { inSlices } from '../spam/rules/in-slices.ts'
import type { Rule } from '../spam/rules/rule.ts'
import { RuleSet } from '../spam/rules/rule-set.ts'
import type { ReadRules } from './rule-files.ts'

export interface PackedRules {
  readonly pieces: readonly Uint8Array[]
  /** how many rules cannot be used, or not as they are meant; told by who has read them */
  readonly problems: number
  /** how many lines of SpamAssassin's files were passed over */
  readonly passedOver: number
  /** those that come with Postern alone: what was wanted took too much time or memory */
  readonly instead?: true
}

const RULES_A_PIECE = 50
const NOTHING = new Uint8Array()

/** As they came, and as they are asked. */
export interface TakenRules {
  readonly packed: PackedRules
  readonly set: RuleSet
}

export function packRules({ rules, problems, notes }: Pick<ReadRules, 'rules' | 'problems' | 'notes'>): PackedRules {
  const pieces: Uint8Array[] = []
  for (let from = 0; from < rules.length; from += RULES_A_PIECE) pieces.push(serialize(rules.slice(from, from + RULES_A_PIECE)))
  return { pieces, problems: problems.length, passedOver: notes.length }
}

/** Between two of its steps everything else has its turn. */
export function unpackRules(packed: PackedRules): Promise<RuleSet> {
  return inSlices(unpacking(packed))
}

/** @param inUse rules that are the same are not made ready once more */
export async function takeUp(packed: PackedRules, inUse?: TakenRules): Promise<TakenRules> {
  return { packed, set: inUse !== undefined && sameRules(packed, inUse.packed) ? inUse.set : await unpackRules(packed) }
}

export function sameRules({ pieces: some }: PackedRules, { pieces: others }: PackedRules): boolean {
  return some.length === others.length && some.every((piece, at) => Buffer.compare(piece, others[at] ?? NOTHING) === 0)
}

/** Some rules a step, in the end one. */
export function* unpacking({ pieces }: PackedRules): Generator<void, RuleSet> {
  const rules: Rule[] = []
  for (const piece of pieces) {
    rules.push(...rulesIn(piece))
    yield
  }
  return yield* RuleSet.making(rules)
}

export function rulesIn(piece: Uint8Array): readonly Rule[] {
  return deserialize(piece) as readonly Rule[]
}
