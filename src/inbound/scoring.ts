/**
 * What the judgement asks about the content of a message. Types only; made by
 * src/scoring/. A score that cannot be made is `temperror` in its outcomes, and
 * never an error.
 */
import type { StoredMessage } from '../message/message.ts'
import type { Verdict } from '../policy/decide.ts'
import type { CheckOutcome } from '../policy/outcome.ts'
import type { CheckName, Thresholds } from '../policy/policy.ts'
import type { SessionFacts } from '../smtp/session-handler.ts'
import type { CheckGround, CheckTrace } from './check-trace.ts'
import type { Known } from './facts.ts'

export interface ScoringSubject {
  /** of the decision, for the logs of others */
  readonly id: string
  readonly body: StoredMessage
  /** our Received, as it will stand on top */
  readonly received: Buffer
  readonly session: SessionFacts
  readonly known: Known
  /** is what this check finds of use to anybody? */
  readonly wants: (check: CheckName) => boolean
  readonly ground: CheckGround
  /** points that a known correspondent takes away */
  readonly credit: number
}

/** A token that weighed, for `postern scan`. */
export interface TellingWord {
  readonly name: string
  /** that a message with it is unwanted, 0 to 1 */
  readonly probability: number
  /** learned messages with it, about */
  readonly ham: number
  readonly spam: number
}

export interface Scored {
  readonly outcomes: readonly CheckOutcome[]
  readonly traces: readonly CheckTrace[]
  /** those that weighed most; [] unless they were asked for */
  readonly telling: readonly TellingWord[]
  /**
   * The verdict on the message, once. What it teaches is learned after the reply.
   * @param thresholds by which it was made
   * @returns as what the message is to be learned, if at all
   */
  conclude(verdict: Verdict, thresholds: Thresholds): 'spam' | 'ham' | undefined
}

export interface Scoring {
  score(subject: ScoringSubject): Promise<Scored>
}
