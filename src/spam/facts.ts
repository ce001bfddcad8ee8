/**
 * What rules may ask about besides the message: connection, authentication,
 * reputation. Types only. What is not known, or could not be found out, is
 * undefined; a rule that asks for it does not hold, nor does its opposite.
 */

export const WORD_FACTS = [
  'rdns', 'fcrdns', 'generic_name', 'dnsbl', 'dnsbl_zone', 'dnswl', 'dnswl_zone', 'helo', 'helo_name', 'spf', 'dkim', 'dkim_domain', 'dmarc', 'arc',
  'client', 'client_name', 'sender', 'recipient', 'from_domain', 'tls', 'correspondent', 'uri_list',
] as const
export type WordFact = (typeof WORD_FACTS)[number]

export const NUMBER_FACTS = [
  /** days since mail of the author's domain, authenticated, was seen for the first time; 0: today */
  'domain_age',
  /** messages of it that were seen before, and the share of them (0 to 1) that was spam */
  'domain_messages', 'domain_spam_share',
  'recipients',
  /** names in links for which the list that left out most was not asked: there were more than are asked for */
  'uri_unasked',
] as const
export type NumberFact = (typeof NUMBER_FACTS)[number]

export interface ScoringFacts {
  words(name: WordFact): readonly string[] | undefined
  number(name: NumberFact): number | undefined
}
