/**
 * What the sessions of a transparent listener have in common: the relay that
 * they are passed to, and that their messages are signed. Each message has its
 * decision ID and its line in the log, as those of other listeners have.
 */
import type { DecisionIds } from '../observe/decision-id.ts'
import type { Log } from '../observe/log.ts'
import { formatReply, type Reply } from '../smtp/reply.ts'
import { CANNOT_BE_SIGNED, NOT_SIGNED_NOW } from '../smtp/reply-catalogue-submission.ts'
import type { SpoolSettings } from '../message/spool.ts'
import type { Signing } from '../signing/signing.ts'
import type { PeerFacts, TransparentProfile } from '../transparent/connection.ts'
import { SignedMessage, type PassingSignature } from '../transparent/signed-message.ts'

export interface TransparentContext {
  readonly log: Log
  readonly newId: DecisionIds
  readonly now: () => number
  readonly date: () => Date
  /** for `postern why`; never waits for the disk */
  readonly remember: (id: string, action: string, facts: Readonly<Record<string, unknown>>) => void
}

export interface TransparentSettings extends Pick<TransparentProfile, 'listener' | 'relay' | 'newlines' | 'maxMessageBytes' | 'timeouts' | 'mayUse'> {
  readonly hop: string
  readonly signing: Signing
  readonly onError: 'tempfail' | 'unsigned'
  readonly spool: SpoolSettings
}

/** RFC 4954 §4: a line of AUTH may have so many. */
const MAX_LINE_BYTES = 12_288

/** The message that a session has under way, or had last. */
interface UnderWay {
  readonly id: string
  readonly startedMs: number
  readonly helo: string
  readonly login: string | undefined
  signed: string
}

export function transparentProfile(settings: TransparentSettings, context: TransparentContext): TransparentProfile {
  const { listener, relay, newlines, maxMessageBytes, timeouts, mayUse, hop, signing, onError, spool } = settings
  const underWay = new WeakMap<PeerFacts, UnderWay>()
  return {
    listener, relay, newlines, maxMessageBytes, maxLineBytes: MAX_LINE_BYTES, timeouts, mayUse,
    makeMessage: (peer) => (envelope) => {
      const mine: UnderWay = { id: context.newId(), startedMs: context.now(), helo: envelope.helo, login: envelope.login, signed: '' }
      underWay.set(peer, mine)
      return new SignedMessage({
        listener, signing, spool, onError, onDefer: onError, date: context.date,
        refusal: (_cause, fault) => formatReply(named(fault === 'message' ? CANNOT_BE_SIGNED : NOT_SIGNED_NOW, mine.id)),
        onSigned: (outcome) => void (mine.signed = describe(outcome)),
      }, envelope)
    },
    onMessage: ({ sender, recipients, size, reply }, peer) => {
      const mine = underWay.get(peer)
      const id = mine?.id ?? context.newId()
      const verdict = reply.startsWith('2') ? 'accept' : reply.startsWith('5') ? 'reject' : reply === '' ? 'abandoned' : 'tempfail'
      const facts = {
        id, listener, client: peer.address, helo: mine?.helo, login: mine?.login, from: sender ?? '', rcpts: recipients.slice(0, MAX_LISTED).map((one) => one.slice(0, MAX_ADDRESS)),
        rcptCount: recipients.length > MAX_LISTED ? recipients.length : undefined, size, verdict, signed: mine?.signed === '' ? undefined : mine?.signed, hop, reply,
        ms: mine === undefined ? undefined : Math.round((context.now() - mine.startedMs) * 10) / 10,
      }
      context.log.info(facts, 'message')
      context.remember(id, verdict, facts)
    },
  }
}

const MAX_LISTED = 10
const MAX_ADDRESS = 100

function named(reply: Reply, id: string): Reply {
  return { ...reply, text: `${String(reply.text)} (${id})` }
}

function describe(outcome: PassingSignature): string {
  switch (outcome.status) {
    case 'signed': return outcome.signatures.map((one) => `${one.domain}:${one.selector} ${one.algorithm}`).join(', ')
    case 'unsigned': return 'not signed: there are no keys'
    case 'skipped':
    case 'deferred': return `not signed: ${outcome.why}`
    case 'failed': return `not signed: ${outcome.cause}`
  }
}
