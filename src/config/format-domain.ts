/** The format of an entry of `domains`: a name, or a mapping with a hop and thresholds of its own. Pure; nothing throws. */
import type { Domain } from '../smtp/envelope.ts'
import { read, refuse } from './format.ts'
import type { Format } from './format.ts'
import { Keys } from './format-mapping.ts'
import { domainName, reference } from './format-names.ts'
import { pointsOrNever } from './format-policy.ts'
import { isMapping, showValue } from './source.ts'

/** What is undefined is as `policy.spam` says. */
export interface DomainThresholds {
  readonly tag: number | 'never' | undefined
  readonly quarantine: number | 'never' | undefined
  readonly reject: number | 'never' | undefined
}

export interface DomainItem {
  readonly domain: Domain
  readonly next: string | undefined
  readonly spam?: DomainThresholds
}

const domainThresholds: Format<DomainThresholds> = {
  type: 'thresholds',
  allowed: '{ tag: POINTS, quarantine: POINTS, reject: POINTS }',
  read(raw) {
    if (!isMapping(raw)) return refuse(`found ${showValue(raw)}`, this.allowed)
    const keys = new Keys(raw, ['tag', 'quarantine', 'reject'])
    const value = { tag: keys.optional('tag', pointsOrNever), quarantine: keys.optional('quarantine', pointsOrNever), reject: keys.optional('reject', pointsOrNever) }
    return keys.problems.length > 0 ? { status: 'refused', problems: keys.problems } : read(value)
  },
}

/** `example.org`, or `{ domain: example.org, next: hop, spam: { tag: 4 } }`. */
export const domainItem: Format<DomainItem> = {
  type: 'domain',
  allowed: 'example.org, or { domain: example.org, next: HOP, spam: { tag: POINTS } }',
  parts: {
    domain: 'The name of the domain.',
    next: "The hop that its mail goes to, a key of `hops`, instead of the listener's own.",
    spam: 'Thresholds `tag`, `quarantine` and `reject` of its own; what is left out is as `policy.spam` says. Recipients with other thresholds are put off to a transaction of their own (451 4.5.3).',
  },
  read(raw) {
    if (!isMapping(raw)) {
      const reading = domainName.read(raw)
      return reading.status === 'read' ? read({ domain: reading.value, next: undefined }) : reading
    }
    const keys = new Keys(raw, ['domain', 'next', 'spam'])
    const domain = keys.required('domain', domainName)
    const next = keys.optional('next', reference)
    const spam = keys.optional('spam', domainThresholds)
    if (domain === undefined || keys.problems.length > 0) return { status: 'refused', problems: keys.problems }
    return read({ domain, next, ...(spam !== undefined && { spam }) })
  },
}
