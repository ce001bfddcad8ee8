/**
 * What became of the mail of a sender domain before: since when it is known,
 * how much came, how much of it was spam. Facts for rules.
 *
 * Counted is the organizational domain of an author whom his domain has
 * authenticated (authenticated-author.ts), and nobody else: otherwise anybody
 * could spoil anybody's name, or borrow its age. It is counted by days, in UTC.
 *
 * The age means nothing while the history itself is young: it is not given
 * before the history is `matureDays` old, nor of who was first seen on a day that
 * is still to come, and is 0 for who comes for the first time. A share is to be read together with the number of messages. Whether a
 * message was spam is to be said without what this history added to its score, or
 * a domain that was wronged once would be wronged for ever.
 *
 * Nothing throws: where the store cannot say, it is `temperror`.
 */
import { causeText, thrownText } from '../auth/stranger-text.ts'
import { normalName } from '../dns/name.ts'

export interface DomainRecord {
  /** days since 1970 */
  readonly firstDay: number
  readonly lastDay: number
  readonly messages: number
  /** at most as many */
  readonly spam: number
}

export interface DomainChange {
  readonly day: number
  readonly messages: number
  /** at most as many */
  readonly spam: number
}

/** Shared by all workers. May fail, by throwing. */
export interface DomainHistoryStore {
  get(domain: string): DomainRecord | undefined
  /** Adds to what all have counted. */
  add(domain: string, change: DomainChange): void
  /** the day of the first message of all; undefined: there was none */
  beganOn(): number | undefined
}

export interface DomainHistorySettings {
  /** before that the age of no domain is told */
  readonly matureDays: number
}

export const DOMAIN_HISTORY_DEFAULTS: DomainHistorySettings = { matureDays: 14 }

export type DomainHistoryOutcome =
  | {
      readonly status: 'known'
      readonly domain: string
      /** undefined while the history is young, and where a clock was wrong */
      readonly ageDays: number | undefined
      /** before this one */
      readonly messages: number
      /** 0 to 1; undefined where there were none */
      readonly spamShare: number | undefined
    }
  /** nobody has proved that the message is theirs */
  | { readonly status: 'none' }
  | { readonly status: 'temperror'; readonly cause: string }

export interface DomainHistory {
  /** @param domain the organizational domain of the authenticated author */
  of(domain: string | undefined): DomainHistoryOutcome
  /** Counts a message, once, when the verdict on it is made. Trouble is the store's to tell. */
  count(domain: string | undefined, message: { readonly spam: boolean }): void
}

const DAY_MS = 86_400_000

export function createDomainHistory(settings: DomainHistorySettings, { store, now }: { readonly store: DomainHistoryStore; readonly now: () => number }): DomainHistory {
  const today = (): number => Math.floor(now() / DAY_MS)
  return {
    of(domain) {
      const name = domain === undefined ? undefined : normalName(domain)
      if (name === undefined) return { status: 'none' }
      try {
        return outcomeOf(name, { found: store.get(name), began: store.beganOn(), today: today(), matureDays: settings.matureDays })
      } catch (error) {
        return { status: 'temperror', cause: causeText(`the history of sender domains cannot be read: ${thrownText(error)}`) }
      }
    },
    count(domain, { spam }) {
      const name = domain === undefined ? undefined : normalName(domain)
      if (name !== undefined) store.add(name, { messages: 1, spam: spam ? 1 : 0, day: today() })
    },
  }
}

interface Reading {
  readonly found: DomainRecord | undefined
  readonly began: number | undefined
  readonly today: number
  readonly matureDays: number
}

function outcomeOf(domain: string, { found, began, today, matureDays }: Reading): DomainHistoryOutcome {
  const isMature = began !== undefined && today - began >= matureDays
  // Now or then a clock was wrong, and nobody knows which.
  const isLater = found !== undefined && found.firstDay > today
  const ageDays = isMature && !isLater ? today - (found?.firstDay ?? today) : undefined
  const messages = found?.messages ?? 0
  return { status: 'known', domain, ageDays, messages, spamShare: found === undefined || messages === 0 ? undefined : Math.min(1, Math.max(0, found.spam / messages)) }
}
