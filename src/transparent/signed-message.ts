/**
 * A message that is signed on its way through (RFC 6376): the fields of the
 * signatures on top, below them the bytes as they came. Which keys sign says
 * the `Signing` that it is given, once the header section is whole.
 *
 * What cannot be signed goes out unsigned, or is refused for now, as `onError`
 * says.
 */
import { MessageSigner, type SigningOutcome } from '../auth/dkim/message-signer.ts'
import type { HeaderSection } from '../message/header-section.ts'
import type { StoredMessage } from '../message/message.ts'
import type { SpoolSettings } from '../message/spool.ts'
import type { Signing, SigningDecision, SigningRequest } from '../signing/signing.ts'
import type { PassingEnvelope, PassingVerdict } from './passing-message.ts'
import { SpooledMessage } from './spooled-message.ts'

export type PassingSignature =
  | SigningOutcome
  /** no key is meant for it */
  | { readonly status: 'skipped'; readonly why: string }
  /** a key is meant for it and must not be used now */
  | { readonly status: 'deferred'; readonly why: string }

export interface SignedMessageParts {
  readonly listener: string
  readonly signing: Signing
  readonly spool: SpoolSettings
  readonly date: () => Date
  readonly onError: 'tempfail' | 'unsigned'
  /** where `signing` defers it; default: refused for now */
  readonly onDefer?: 'tempfail' | 'unsigned'
  /** the reply, each line with its CRLF, where it cannot be signed; `message`: it never can */
  readonly refusal: (cause: string, fault: 'message' | 'key') => string
  /** may whoever sent this write in the name of that address? Default: the client is trusted by its own. */
  readonly entitledTo?: SigningRequest['entitledTo']
  /** for the log; the section is undefined where the message was too broken to have one */
  readonly onSigned: (outcome: PassingSignature, section: HeaderSection | undefined) => void
}

const NO_FIELDS: ReadonlySet<string> = new Set()

export class SignedMessage extends SpooledMessage {
  private readonly parts: SignedMessageParts
  private readonly envelope: PassingEnvelope
  private readonly signer: MessageSigner
  private decision: SigningDecision | undefined
  private section: HeaderSection | undefined

  constructor(parts: SignedMessageParts, envelope: PassingEnvelope) {
    super(parts.spool)
    this.parts = parts
    this.envelope = envelope
    this.signer = new MessageSigner((section) => this.choose(section))
  }

  private choose(section: HeaderSection): ReturnType<ConstructorParameters<typeof MessageSigner>[0]> {
    const { listener, signing, entitledTo = () => true } = this.parts
    const { login, sender, recipientDomains } = this.envelope
    this.section = section
    this.decision = signing.decide({ listener, login, sender, recipientDomains, section, entitledTo, addedFields: NO_FIELDS })
    return this.decision.status === 'sign' ? this.decision.orders : []
  }

  protected look(piece: Buffer): void {
    this.signer.write(piece)
  }

  protected async judge(body: StoredMessage): Promise<PassingVerdict> {
    const { date, onError, onDefer = 'tempfail', refusal, onSigned } = this.parts
    const outcome = this.outcome(await this.signer.finish({ above: [], now: date() }))
    onSigned(outcome, this.section)
    const unsigned = (how: 'tempfail' | 'unsigned', cause: string, fault: 'message' | 'key' = 'key'): PassingVerdict =>
      (how === 'unsigned' ? { status: 'send', prefix: NOTHING, body } : { status: 'refuse', reply: refusal(cause, fault) })
    switch (outcome.status) {
      case 'signed':
        return { status: 'send', prefix: outcome.fields, body }
      case 'skipped':
      case 'unsigned':
        return unsigned('unsigned', '')
      case 'deferred':
        return unsigned(onDefer, outcome.why)
      case 'failed':
        return unsigned(onError, outcome.cause, outcome.fault)
    }
  }

  private outcome(found: SigningOutcome): PassingSignature {
    const { decision } = this
    if (found.status !== 'unsigned' || decision === undefined || decision.status === 'sign') return found
    return { status: decision.status === 'defer' ? 'deferred' : 'skipped', why: decision.why }
  }
}

const NOTHING = Buffer.alloc(0)
