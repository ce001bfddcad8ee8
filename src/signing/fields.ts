/**
 * Which header fields are signed (RFC 6376 §5.4, §5.4.1, §8.15), by default.
 *
 * A field that is named in h= once more often than it occurs cannot be added on
 * the way without breaking the signature. Where it does not occur at all that is
 * only good for fields that no honest relay adds: From, To, Cc, Subject and
 * Reply-To. Date, Message-ID, MIME-Version and Content-* are added by relays to
 * mail that lacks them (RFC 6409 §8; gateways to 7-bit), so these are guarded
 * where they occur: a second one would be a forgery, a first one is not.
 *
 * Not signed: trace fields (Received, Return-Path, Authentication-Results),
 * Bcc, and what mailing lists and relays rewrite as a matter of course.
 */

/** RFC 6376 §5.4.1; RFC 8058 §4 wants both List-Unsubscribe fields signed */
export const DEFAULT_FIELDS: readonly string[] = [
  'from', 'sender', 'reply-to', 'subject', 'date', 'message-id', 'to', 'cc', 'in-reply-to', 'references',
  'mime-version', 'content-type', 'content-transfer-encoding', 'content-id', 'content-description',
  'resent-date', 'resent-from', 'resent-sender', 'resent-to', 'resent-cc', 'resent-message-id',
  'list-id', 'list-help', 'list-unsubscribe', 'list-unsubscribe-post', 'list-subscribe', 'list-post', 'list-owner', 'list-archive',
]

/** A reader would believe them wherever they came from. */
export const DEFAULT_OVERSIGN: readonly string[] = ['from', 'to', 'cc', 'subject', 'reply-to']

export const DEFAULT_OVERSIGN_PRESENT: readonly string[] = ['date', 'message-id', 'sender', 'mime-version', 'content-type', 'content-transfer-encoding']
