/** Every reply that local delivery gives by itself, each with the section that asks for it. */
import type { Reply } from '../smtp/reply.ts'

function reply(status: number, code: readonly [subject: number, detail: number], text: string): Reply {
  return { status, subject: code[0], detail: code[1], text }
}

/** RFC 3463 §3.2 X.1.0: class 2 for the sender, X.1.5 for the recipient */
export const SENDER_OK = reply(250, [1, 0], 'Sender OK')
export const RECIPIENT_OK = reply(250, [1, 5], 'Recipient OK')
/** RFC 3463 §3.1 X.0.0; the promise of RFC 5321 §4.2.5 */
export const DELIVERED = reply(250, [0, 0], 'Delivered')
/** RFC 3463 X.1.1 */
export const NO_SUCH_USER = reply(550, [1, 1], 'No such user here')
/** RFC 5321 §4.2.3 "mailbox name not allowed", RFC 3463 X.1.3: a local part that cannot be a file's name */
export const NO_SUCH_NAME = reply(553, [1, 3], 'No mailbox can have this name')
/** RFC 3463 X.3.0: users, aliases or mailboxes cannot be read or written; why is in the log */
export const MAIL_SYSTEM = reply(451, [3, 0], 'Mailboxes are not available at the moment, try again later')
/** RFC 3463 X.3.5: aliases that lead in a circle */
export const MISCONFIGURED = reply(451, [3, 5], 'Mailboxes are misconfigured, try again later')
/** RFC 3463 X.3.1 */
export const NO_SPACE = reply(452, [3, 1], 'No space for the message, try again later')
/** RFC 5321 §6.3, RFC 3463 X.4.6 */
export const MAIL_LOOP = reply(554, [4, 6], 'Mail loop: the message was delivered to this address before')
/** RFC 3030 §3, RFC 3463 X.6.1: lines are stored, so bytes without lines cannot be */
export const NO_BINARY = reply(554, [6, 1], 'BODY=BINARYMIME cannot be stored here')
/** RFC 5321 §4.2.4 */
export const STOPPING = reply(451, [3, 2], 'Delivery is stopping, try again soon')
