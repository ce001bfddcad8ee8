/** The allow list's part in a verdict: what its entries excuse, and that they were of use. */
import { CHECKS, type CheckName } from '../policy/policy.ts'
import type { Excuse, Verdict } from '../policy/decide.ts'
import type { AllowHits, AllowList, AllowMatch, AllowSubject } from '../reputation/allow-list.ts'

/** What an entry may name beside the checks of the policy. */
export const GREYLIST = 'greylist'

export function excusesOf(list: AllowList, subject: AllowSubject): readonly Excuse[] {
  return list.match(subject).map((match) => ({ checks: match.entry.scope.checks?.filter(isCheck), truth: match.truth, reason: reasonOf(match) }))
}

/** Is there an entry that lets this client come without being asked to come back? */
export function excusesGreylisting(list: AllowList, subject: AllowSubject): boolean {
  return list.match(subject).some(({ entry, truth }) => truth === 'true' && entry.scope.checks?.includes(GREYLIST) !== false)
}

/** Counts the entries that excused something. */
export function countHits(list: AllowList, { verdict, hits, at }: { verdict: Verdict; hits: AllowHits; at: number }): void {
  const used = new Set(verdict.effects.filter(({ effect }) => effect === 'excused').flatMap(({ exceptions }) => exceptions))
  for (const { id } of list.entries) if ([...used].some((reason) => reason.startsWith(prefixOf(id)))) hits.hit(id, at)
}

function reasonOf({ entry, by }: AllowMatch): string {
  return `${prefixOf(entry.id)}${entry.reason}${by === '' ? '' : ` (${by})`}`
}

function prefixOf(id: string): string {
  return `allow list, ${id}: `
}

function isCheck(name: string): name is CheckName {
  return (CHECKS as readonly string[]).includes(name)
}
