/**
 * One list in the DNS, behind its interlock (dnsbl-health.ts): asks it a question
 * and says what the answer means. Lists of addresses (dnsbl.ts) and of what
 * links hold (uri-lists.ts) are made of these.
 *
 * A zone that is not proved, or is set aside, is not asked: `error`. An answer
 * that no list gives is an error and sets the zone aside at once; a question
 * without an answer is an error. Neither is ever a listing. Nothing throws, but
 * the constructor on settings that were not checked, which is a bug.
 */
import { causeText } from '../auth/stranger-text.ts'
import { normalName } from '../dns/name.ts'
import type { Lookup, Resolver } from '../dns/resolver.ts'
import { readCode, troubleIn, type ListTrouble } from './dnsbl-codes.ts'
import { ZoneHealth, type TestPoints, type ZoneContext } from './dnsbl-health.ts'
import { failureCause } from './look-ups.ts'

export interface DnsListCode {
  /** as `readCode` of dnsbl-codes.ts reads it */
  readonly code: string
  /** instead of the zone's */
  readonly weight?: number
  /** the part of the list, as `policy` or `high` */
  readonly label?: string
}

export interface ListZoneSettings {
  readonly zone: string
  readonly weight: number
  /** the return codes that count; without them, every code does */
  readonly codes?: readonly DnsListCode[]
  readonly test: TestPoints
  /** what stands for the zone wherever it is shown; the zone itself unless given */
  readonly shown?: string
  /** return codes that say that the list does not serve us */
  readonly refusals?: readonly string[]
  /** of the zone, so that the questions fit in front of it */
  readonly maxCharacters: number
}

export type ListError = {
  readonly status: 'error'
  /** unproved, set-aside: the zone was not asked; look-up: it gave no answer; answer: it gave one that no list gives */
  readonly stage: 'unproved' | 'set-aside' | 'look-up' | 'answer'
  readonly cause: string
}

export type ListAnswer =
  | {
      readonly status: 'listed'
      /** the answers that count, in order */
      readonly codes: readonly string[]
      /** of the codes that have one */
      readonly labels: readonly string[]
      /** the largest of the codes' weights */
      readonly weight: number
    }
  | { readonly status: 'not-listed' }
  | ListError

const MAX_CODES_SHOWN = 10

interface Code {
  readonly matches: (answer: string) => boolean
  readonly weight: number
  readonly label: string | undefined
}

export class ListZone {
  readonly name: string
  readonly health: ZoneHealth
  /** what a listing weighs at most */
  readonly most: number
  readonly #shown: string
  readonly #codes: readonly Code[]
  readonly #refuses: (answer: string) => boolean

  constructor(settings: ListZoneSettings, context: ZoneContext) {
    const { zone, maxCharacters, weight, codes, refusals = [], test } = settings
    const name = normalName(zone)
    if (name === undefined || name.length > maxCharacters) throw new Error(`DNS list was not checked: ${JSON.stringify(zone)} is no name of at most ${maxCharacters} characters`)
    this.name = name
    this.#shown = settings.shown ?? name
    this.#codes = codes?.map((code) => ({ matches: matcher(code.code), weight: code.weight ?? weight, label: code.label })) ?? [{ matches: () => true, weight, label: undefined }]
    this.most = Math.max(...this.#codes.map((code) => code.weight))
    const refused = refusals.map(matcher)
    this.#refuses = (answer) => refused.some((matches) => matches(answer))
    this.health = new ZoneHealth({ zone: name, test, shown: this.#shown, refuses: this.#refuses }, context)
  }

  /** The error that it is to ask this zone now. */
  get disbelief(): ListError | undefined {
    const { state } = this.health
    switch (state.state) {
      case 'healthy': return undefined
      case 'unproved': return { status: 'error', stage: 'unproved', cause: 'the list has not been proved yet' }
      case 'set-aside': return { status: 'error', stage: 'set-aside', cause: causeText(`the list is set aside: ${state.why}`) }
    }
  }

  /** @param labels what stands before the zone */
  async ask(labels: string, resolver: Resolver): Promise<ListAnswer> {
    const before = this.disbelief
    if (before !== undefined) return before
    const name = `${labels}.${this.name}`
    const answer = this.#understood(name, await resolver.lookup(name, 'A'))
    // Set aside while this question was on its way: its answer is not believed either.
    const after = answer.status === 'error' ? undefined : this.disbelief
    return after ?? answer
  }

  #understood(name: string, found: Lookup<'A'>): ListAnswer {
    switch (found.status) {
      case 'nxdomain':
      case 'nodata':
        this.health.answered(undefined)
        return { status: 'not-listed' }
      case 'servfail':
      case 'timeout': {
        const cause = causeText(failureCause(name, found).replaceAll(this.name, this.#shown))
        // Where our own servers are silent, or a session has waited long enough, the list is not to blame; and a stranger's
        // session must not be able to set a list aside.
        if (found.ours !== true && (found.status === 'servfail' || found.serversAnswer === true)) this.health.failed(cause)
        return { status: 'error', stage: 'look-up', cause }
      }
      case 'records': {
        const trouble: ListTrouble | undefined = troubleIn(found.records, this.#refuses)
        this.health.answered(trouble)
        return trouble === undefined ? this.#listing(found.records) : { status: 'error', stage: 'answer', cause: causeText(trouble.why) }
      }
    }
  }

  #listing(answers: readonly string[]): ListAnswer {
    const matched = this.#codes.filter(({ matches }) => answers.some(matches))
    if (matched.length === 0) return { status: 'not-listed' }
    return {
      status: 'listed',
      codes: answers.filter((answer) => matched.some(({ matches }) => matches(answer))).sort().slice(0, MAX_CODES_SHOWN),
      labels: [...new Set(matched.map(({ label }) => label).filter((label) => label !== undefined))],
      weight: Math.max(...matched.map(({ weight }) => weight)),
    }
  }
}

/** Puts what stands for each zone where its name is; the longest ones first, since one may end in another. */
export function namesShown(zones: readonly { readonly name: string; readonly shown: string }[]): (text: string) => string {
  const named = zones.filter(({ name, shown }) => name !== shown).toSorted((a, b) => b.name.length - a.name.length)
  return (text) => named.reduce((so, { name, shown }) => so.replaceAll(name, () => shown), text)
}

function matcher(code: string): (answer: string) => boolean {
  const reading = readCode(code)
  if (reading.status === 'refused') throw new Error(`DNS list was not checked: ${code}: ${reading.problem}`)
  return reading.matches
}
