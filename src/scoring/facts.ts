/** What rules may ask about besides the message, out of what the judgement knows. Pure. */
import { factsOf, type Known } from '../inbound/facts.ts'
import { uriListWords, type UriListOutcome } from '../reputation/uri-lists.ts'
import type { KnownOutcome } from '../reputation/correspondents.ts'
import type { DomainHistoryOutcome } from '../reputation/domain-history.ts'
import type { NumberFact, ScoringFacts, WordFact } from '../spam/facts.ts'

export interface FactSources {
  readonly known: Known
  /** the client speaks TLS with us */
  readonly tls: boolean
  readonly lists: readonly UriListOutcome[]
  readonly correspondent: KnownOutcome | undefined
  readonly history: DomainHistoryOutcome | undefined
}

export function scoringFacts(sources: FactSources): ScoringFacts {
  const policyFact = factsOf(sources.known)
  return {
    words(name) {
      switch (name) {
        case 'tls': return [sources.tls ? 'yes' : 'no']
        case 'uri_list': return uriListWords(sources.lists)
        case 'correspondent': return correspondentWord(sources.correspondent)
        default: return wordsOf(policyFact, name)
      }
    },
    number: (name) => numberOf(sources, name),
  }
}

function correspondentWord(found: KnownOutcome | undefined): readonly string[] | undefined {
  return found === undefined || found.status === 'temperror' ? undefined : [found.status === 'known' ? 'yes' : 'no']
}

function wordsOf(fact: ReturnType<typeof factsOf>, name: Exclude<WordFact, 'tls' | 'uri_list' | 'correspondent'>): readonly string[] | undefined {
  const value = fact(name)
  // Where there may be more than is known, only what is known can be said.
  return value.status !== 'known' || (value.open === true && value.values.length === 0) ? undefined : value.values
}

function numberOf({ known, history, lists }: FactSources, name: NumberFact): number | undefined {
  if (name === 'recipients') return known.recipients?.length
  // Without lists nobody has counted.
  if (name === 'uri_unasked') return lists.length === 0 ? undefined : Math.max(...lists.map(({ unasked }) => unasked))
  if (history?.status !== 'known') return undefined
  switch (name) {
    case 'domain_age': return history.ageDays
    case 'domain_messages': return history.messages
    case 'domain_spam_share': return history.spamShare
  }
}
