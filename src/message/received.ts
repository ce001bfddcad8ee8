/**
 * The Received field that we add on top (RFC 5321 §4.4), and the count of those
 * that are there already (§6.3: a message with too many of them loops).
 *
 * Whatever a client said of itself is reduced to harmless characters first.
 */
import type { SessionFacts } from '../smtp/session-handler.ts'

export interface ReceivedFacts {
  readonly session: SessionFacts
  /** our name */
  readonly hostname: string
  /** decision ID */
  readonly id: string
  /** path with brackets, if there is just one recipient: more would tell them of each other */
  readonly recipient: string | undefined
  /** MAIL said SMTPUTF8 */
  readonly smtputf8: boolean
  readonly date: Date
  /** neither its name nor its address is told */
  readonly hideClient: boolean
}

/** A longer one would make a line of more than 998 bytes (RFC 5322 §2.1.1). */
const MAX_PATH_BYTES = 900

export function receivedField(facts: ReceivedFacts): string {
  const { session } = facts
  const helo = safe(session.helo ?? 'unknown')
  const address = session.address === undefined ? 'local' : literal(session.address)
  const origin = session.name === undefined ? address : `${safe(session.name)} ${address}`
  const tls = session.tls === undefined ? '' : `\r\n\t(using ${safe(session.tls.version)} with cipher ${safe(session.tls.cipher)})`
  const named = facts.recipient !== undefined && facts.recipient.length <= MAX_PATH_BYTES
  const recipient = named ? `\r\n\tfor ${safePath(facts.recipient, facts.smtputf8)}` : ''
  const from = facts.hideClient ? '' : `from ${helo} (${origin})${tls}\r\n\t`
  return (
    `Received: ${from}by ${facts.hostname} with ${protocolKeyword(session, facts.smtputf8)} id ${facts.id}${recipient};\r\n` +
    `\t${formatDate(facts.date)}\r\n`
  )
}

/** RFC 3848, RFC 6531 §4.3 */
function protocolKeyword(session: SessionFacts, smtputf8: boolean): string {
  const secure = `${session.tls === undefined ? '' : 'S'}${session.authentication === undefined ? '' : 'A'}`
  if (session.protocol === 'SMTP') return 'SMTP'
  if (smtputf8) return session.protocol === 'LMTP' ? `UTF8LMTP${secure}` : `UTF8SMTP${secure}`
  return session.protocol + secure
}

/** RFC 5321 §4.1.3 */
function literal(address: string): string {
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`
}

function safe(text: string): string {
  return text.replace(/[^A-Za-z0-9._:[\]-]/g, '?')
}

function safePath(wire: string, smtputf8: boolean): string {
  return smtputf8 ? wire : wire.replace(/[^\x21-\x7e]/g, '?')
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

/** RFC 5322 §3.3, in UTC */
export function formatDate(date: Date): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const day = DAYS[date.getUTCDay()] ?? ''
  const month = MONTHS[date.getUTCMonth()] ?? ''
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
  return `${day}, ${date.getUTCDate()} ${month} ${date.getUTCFullYear()} ${time} +0000`
}

const LF = 0x0a
const CR = 0x0d
const NAME = 'received:'

/**
 * Counts the Received fields of a header section that is fed in pieces with
 * CR LF line ends. It stops looking at the empty line; memory is constant.
 */
export class ReceivedCounter {
  count = 0
  /** inside the header section */
  private open = true
  /** characters of NAME seen at the start of this line; -1: another line */
  private matched = 0
  /** bytes of this line so far, CR left out */
  private lineBytes = 0

  feed(piece: Buffer): void {
    if (!this.open) return
    for (let at = 0; at < piece.length; at++) {
      const c = piece[at] as number
      if (c === LF) {
        if (this.lineBytes === 0) {
          this.open = false
          return
        }
        this.lineBytes = 0
        this.matched = 0
      } else if (c !== CR) this.character(c)
    }
  }

  private character(c: number): void {
    this.lineBytes++
    if (this.matched < 0) return
    // Upper-case letters differ from lower-case ones by this bit; ':' has it set.
    if ((c | 0x20) !== NAME.charCodeAt(this.matched)) {
      // RFC 5322 §4.5 (obsolete form): blanks before the colon
      if (!(this.matched === NAME.length - 1 && (c === 0x20 || c === 0x09))) this.matched = -1
    } else if (++this.matched === NAME.length) {
      this.count++
      this.matched = -1
    }
  }
}
