/**
 * What a policy says of each check, and the presets it starts from.
 */
import type { Condition } from './condition.ts'

/** In the order in which they are decided: the first of equal weight gives its reply. */
export const CHECKS = ['early_talker', 'rate', 'rdns', 'fcrdns', 'generic_name', 'dnsbl', 'dnswl', 'helo', 'sender_domain', 'spf', 'dkim', 'dmarc', 'virus', 'content', 'bayes', 'uri_list', 'correspondent', 'engine'] as const
export type CheckName = (typeof CHECKS)[number]

/**
 * off: not even asked. note: in the log and the decision. score: its weight
 * counts. warn: that too, and `X-Warning` on the message. honour (DMARC only):
 * what the domain owner asks for. quarantine: it is set aside. The rest refuses.
 */
export type Action = 'off' | 'note' | 'warn' | 'score' | 'quarantine' | 'tempfail' | 'reject' | 'disconnect' | 'honour'

export interface CheckPolicy {
  readonly action: Action
  /** points where the action is `score` or `warn`; lists, rules and engines bring their own. Of what speaks for a message: what it takes away */
  readonly weight: number
}

/** Where the condition holds, what these checks found is no reason for anything. */
export interface Exception {
  readonly checks: readonly CheckName[]
  readonly when: Condition
  /** for the log and `postern why` */
  readonly reason: string
}

/** Points from which a message is tagged, set aside, refused; undefined: never. */
export interface Thresholds {
  readonly tag: number | undefined
  readonly quarantine: number | undefined
  readonly reject: number | undefined
}

export interface Policy {
  readonly checks: Readonly<Record<CheckName, CheckPolicy>>
  readonly exceptions: readonly Exception[]
  readonly spam: Thresholds
  /**
   * When no DNS server answers at all, nobody can be told from anybody. accept:
   * mail flows, and carries `temperror`; tempfail: checks that refuse say 451.
   */
  readonly dnsDown: 'accept' | 'tempfail'
}

export const PRESETS = ['observe', 'standard', 'strict'] as const
export type Preset = (typeof PRESETS)[number]

/** Which actions make sense for a check. A rate is never a reason to refuse for good. */
export const ALLOWED_ACTIONS: Readonly<Record<CheckName, readonly Action[]>> = {
  early_talker: ['off', 'note', 'warn', 'score', 'tempfail', 'reject', 'disconnect'],
  rate: ['off', 'note', 'tempfail'],
  rdns: ['off', 'note', 'warn', 'score', 'tempfail', 'reject', 'disconnect'],
  fcrdns: ['off', 'note', 'warn', 'score', 'tempfail', 'reject', 'disconnect'],
  generic_name: ['off', 'note', 'warn', 'score'],
  dnsbl: ['off', 'note', 'warn', 'score', 'tempfail', 'reject', 'disconnect'],
  dnswl: ['off', 'note', 'score'],
  helo: ['off', 'note', 'warn', 'score', 'tempfail', 'reject'],
  sender_domain: ['off', 'note', 'warn', 'score', 'tempfail', 'reject'],
  spf: ['off', 'note', 'warn', 'score', 'tempfail', 'reject'],
  dkim: ['off', 'note', 'warn', 'score'],
  dmarc: ['off', 'note', 'warn', 'score', 'honour'],
  virus: ['off', 'note', 'warn', 'score', 'quarantine', 'tempfail', 'reject'],
  content: ['off', 'note', 'score'],
  bayes: ['off', 'note', 'score'],
  uri_list: ['off', 'note', 'warn', 'score', 'tempfail', 'reject'],
  correspondent: ['off', 'note', 'score'],
  engine: ['off', 'note', 'score'],
}

export const WEIGHTS: Readonly<Record<CheckName, number>> = {
  early_talker: 3, rate: 0, rdns: 3, fcrdns: 2, generic_name: 2, dnsbl: 2, dnswl: -2, helo: 1, sender_domain: 3, spf: 2, dkim: 0.5, dmarc: 4,
  virus: 15, content: 0, bayes: 0, uri_list: 2, correspondent: 3, engine: 0,
}

export const PRESET_ACTIONS: Readonly<Record<Preset, Readonly<Record<CheckName, Action>>>> = {
  observe: {
    early_talker: 'note', rate: 'note', rdns: 'note', fcrdns: 'note', generic_name: 'note', dnsbl: 'warn', dnswl: 'score', helo: 'note',
    sender_domain: 'note', spf: 'warn', dkim: 'note', dmarc: 'note', virus: 'warn', content: 'score', bayes: 'score', uri_list: 'score', correspondent: 'score', engine: 'score',
  },
  standard: {
    early_talker: 'score', rate: 'tempfail', rdns: 'disconnect', fcrdns: 'disconnect', generic_name: 'score', dnsbl: 'warn', dnswl: 'score', helo: 'score',
    sender_domain: 'score', spf: 'warn', dkim: 'note', dmarc: 'honour', virus: 'reject', content: 'score', bayes: 'score', uri_list: 'score', correspondent: 'score', engine: 'score',
  },
  strict: {
    early_talker: 'disconnect', rate: 'tempfail', rdns: 'disconnect', fcrdns: 'disconnect', generic_name: 'score', dnsbl: 'reject', dnswl: 'score', helo: 'reject',
    sender_domain: 'reject', spf: 'reject', dkim: 'note', dmarc: 'honour', virus: 'reject', content: 'score', bayes: 'score', uri_list: 'score', correspondent: 'score', engine: 'score',
  },
}

export const PRESET_THRESHOLDS: Readonly<Record<Preset, Thresholds>> = {
  observe: { tag: 5, quarantine: undefined, reject: undefined },
  standard: { tag: 5, quarantine: undefined, reject: 15 },
  strict: { tag: 5, quarantine: 10, reject: 15 },
}
