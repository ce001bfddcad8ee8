/**
 * Known correspondents: those to whom our authenticated users write. Mail from
 * them is welcome more often than not, so rules may give it credit.
 *
 * What is remembered is that somebody of ours (or of our domain) wrote to a
 * remote address: how often, and when last; under keyed hashes, so that the
 * state directory holds no address book.
 *
 * What could be turned against it, and what is done:
 * - Spoofing: From alone gives no credit. `identity` is the author's address as
 *   his domain has authenticated it (authenticated-author.ts), or undefined.
 * - One who got one answer out of one user and then writes to many: all
 *   recipients must know him, not just one.
 * - "unsubscribe": mail that asks to be left alone, and mail to addresses that
 *   are made for it, makes no correspondent (`whyNoCorrespondence`).
 * - Answers of machines: without a reverse-path, with Auto-Submitted (RFC 3834
 *   §5), lists' and reports' mail makes none. Otherwise a vacation notice would
 *   vouch for each spammer who writes during the holidays.
 * - Circulars: who writes to more than 50 at once has not corresponded with them.
 * - Mailing lists: posts are their authors', and give credit to authors only. A
 *   list that puts itself into From is known to who has written to it, with all
 *   that it passes on; so the caller should leave out `identity` where a message
 *   has a List-Id.
 * - Catch-alls of ours: an invented recipient has written to nobody. Of theirs:
 *   only the very address that was written to is known, not its domain.
 * - An account of ours that was broken into can vouch for its friends, within
 *   the rates of its submission; for its own recipients only, unless the scope
 *   is `domain`.
 * - A correspondent who was broken into: credit is one fact among many, and
 *   should never outweigh a virus or a listed link.
 *
 * Nothing throws: where the store cannot say, it is `temperror`.
 */
import { causeText, thrownText } from '../auth/stranger-text.ts'
import { canonicalAddress, plainAddress } from './uri-hash.ts'

export interface CorrespondentRecord {
  readonly messages: number
  /** milliseconds since 1970 */
  readonly lastAt: number
}

/** Shared by all workers. May fail, by throwing. */
export interface CorrespondentStore {
  /** @param pair as made here, of two addresses in lower case */
  get(pair: string): CorrespondentRecord | undefined
  /** Counts one message. */
  add(pair: string, at: number): void
}

export interface CorrespondentSettings {
  /** who of ours must have written: the very recipient, or anybody of the recipient's domain */
  readonly scope: 'address' | 'domain'
  /** how often, at least */
  readonly minMessages: number
  /** since the last message to them */
  readonly rememberMs: number
}

const DAY_MS = 86_400_000

/** With scope `domain`, 2 messages are a better least: one user's one mistake then speaks for nobody. */
export const CORRESPONDENT_DEFAULTS: CorrespondentSettings = { scope: 'address', minMessages: 1, rememberMs: 180 * DAY_MS }

export interface SentMessage {
  /** the reverse-path, which the user was allowed to use; '' for the null one */
  readonly sender: string
  readonly recipients: readonly string[]
  /** the first field of this name, in lower case; without it, nothing is known of the header */
  readonly field?: (name: string) => string | undefined
}

export interface ReceivedMessage {
  /** the authenticated author's address */
  readonly identity: string | undefined
  /** of the envelope */
  readonly recipients: readonly string[]
}

export type RecordOutcome =
  | { readonly status: 'recorded'; readonly recipients: number }
  | { readonly status: 'none'; readonly why: string }
  | { readonly status: 'temperror'; readonly cause: string }

export type KnownOutcome =
  | { readonly status: 'known' }
  | { readonly status: 'unknown' }
  | { readonly status: 'temperror'; readonly cause: string }

export interface Correspondents {
  /** To be called when the message has been taken by the next hop. */
  record(message: SentMessage): RecordOutcome
  known(message: ReceivedMessage): KnownOutcome
}

const MAX_RECIPIENTS = 50
const MAX_FIELD_CHARACTERS = 200

export function createCorrespondents(settings: CorrespondentSettings, { store, now }: { readonly store: CorrespondentStore; readonly now: () => number }): Correspondents {
  const { scope, minMessages, rememberMs } = settings
  return {
    record(message) {
      const why = whyNoCorrespondence(message)
      const own = why === undefined ? ownName(message.sender, scope) : undefined
      if (own === undefined) return { status: 'none', why: why ?? 'the sender is no address' }
      const remote = [...new Set(message.recipients.map(plainAddress).filter((one) => one !== undefined && !isForLeaving(one)))]
      try {
        for (const one of remote) store.add(pairOf(own, one ?? ''), now())
      } catch (error) {
        return { status: 'temperror', cause: causeText(`correspondents cannot be remembered: ${thrownText(error)}`) }
      }
      return remote.length === 0 ? { status: 'none', why: 'no recipient is one to correspond with' } : { status: 'recorded', recipients: remote.length }
    },
    known({ identity, recipients }) {
      const author = identity === undefined ? undefined : plainAddress(identity)
      if (author === undefined || recipients.length === 0 || recipients.length > MAX_RECIPIENTS) return { status: 'unknown' }
      const own = new Set(recipients.map((one) => ownName(one, scope)))
      try {
        for (const one of own) {
          const record = one === undefined ? undefined : store.get(pairOf(one, author))
          if (record === undefined || record.messages < minMessages || now() - record.lastAt >= rememberMs) return { status: 'unknown' }
        }
      } catch (error) {
        return { status: 'temperror', cause: causeText(`correspondents cannot be read: ${thrownText(error)}`) }
      }
      return { status: 'known' }
    },
  }
}

/** Addresses hold no space. */
function pairOf(own: string, remote: string): string {
  return `${own} ${remote}`
}

function ownName(address: string, scope: CorrespondentSettings['scope']): string | undefined {
  // A user who gives out addresses with a tag (RFC 5233) is the same user.
  const own = canonicalAddress(address)
  return scope === 'address' ? own : own?.slice(own.lastIndexOf('@'))
}

/** Why nobody becomes a correspondent by this message; undefined where they do. */
export function whyNoCorrespondence({ sender, recipients, field = () => undefined }: SentMessage): string | undefined {
  if (sender === '') return 'it has no sender to answer to'
  if (recipients.length > MAX_RECIPIENTS) return `it goes to ${recipients.length} recipients; more than ${MAX_RECIPIENTS} are no correspondence`
  const word = (name: string): string => field(name)?.slice(0, MAX_FIELD_CHARACTERS).trim().toLowerCase() ?? ''
  // RFC 3834 §5: `no`, or a keyword with parameters behind it.
  const submitted = word('auto-submitted').split(/[\s;(]/, 1)[0] ?? ''
  if (submitted !== '' && submitted !== 'no') return `it was sent by a machine (Auto-Submitted: ${submitted})`
  if (/^(?:bulk|list|junk)$/.test(word('precedence')) || word('list-id') !== '' || word('list-unsubscribe') !== '') return 'it is mail to many'
  if (word('x-autoreply') !== '' || word('x-autorespond') !== '' || word('content-type').startsWith('multipart/report')) return 'it is an answer of a machine'
  return LEAVING.test(word('subject')) ? 'it asks to be left alone' : undefined
}

/** The whole subject, in the languages in which such links are made. */
const LEAVING = /^(?:(?:re|aw|fwd?): ?)*(?:please )?(?:un-?subscribe|remove|opt[ -]?out|take me off|stop|abmelden|abbestellen|austragen|d[eé]s-?(?:abonner|inscrire|inscription)|dar(?:me)? de baja|cancelar (?:la )?suscripci[oó]n|baja|disiscriviti|cancellami|afmelden|uitschrijven)(?: (?:me|us|mich|list|this|here))*[.!]*$/

function isForLeaving(address: string): boolean {
  return /^(?:[^@]*[-+._])?(?:un-?sub(?:scribe)?|opt-?out|leave|remove|abuse|spam)(?:[-+._=][^@]*)?@/.test(address)
}
