/**
 * What the quarantine knows of a message: its envelope, who sent it, why it was
 * kept. As JSON it lies beside the message in a file of its own, so that nothing
 * is lost with the database.
 *
 * Paths and parameters stay as they came ("binary" strings). Decoding checks
 * everything and throws an Error that names the field which is not as it was
 * written.
 */
import type { ClientFacts } from '../delivery/next-hop.ts'
import type { Domain, EnvelopePath, Mailbox, Parameter } from '../smtp/envelope.ts'

/** What the gateway says of a message that it wants kept. */
export interface QuarantineFacts {
  /** the decision ID */
  readonly id: string
  /** milliseconds since 1970 */
  readonly at: number
  /** key of `hops`: where it would have gone */
  readonly hop: string
  /** with its parameters: SMTPUTF8, BODY and the like are needed when it goes on */
  readonly sender: EnvelopePath
  readonly recipients: readonly EnvelopePath[]
  readonly client: ClientFacts
  readonly score: number | undefined
  /** for people; the first 50 are kept, 500 characters of each */
  readonly reasons: readonly string[]
}

export interface QuarantineEntry extends QuarantineFacts {
  /** those who have not had it */
  readonly recipients: readonly EnvelopePath[]
  /** those who had it by a release */
  readonly delivered: readonly EnvelopePath[]
  /** of the message, with the fields that the gateway put on top */
  readonly size: number
  /** as in OutgoingMessage */
  readonly chunked: boolean
  readonly binary: boolean
}

const FORMAT = 1
const MAX_REASONS = 50
const MAX_REASON_CHARACTERS = 500

/** An ID becomes a file's name. */
export function isQuarantineId(text: string): boolean {
  return /^[A-Z0-9]{1,32}$/.test(text)
}

export function encodeEntry(entry: QuarantineEntry): string {
  const reasons = entry.reasons.slice(0, MAX_REASONS).map((reason) => reason.slice(0, MAX_REASON_CHARACTERS))
  return JSON.stringify({ format: FORMAT, ...entry, reasons })
}

export function decodeEntry(text: string): QuarantineEntry {
  const entry = fieldsOf(JSON.parse(text), 'the entry')
  const format = entry.number('format')
  if (format !== FORMAT) throw new Error(`the entry has format ${format}, known here is ${FORMAT}`)
  const id = entry.text('id')
  if (!isQuarantineId(id)) throw new Error('the entry has an id that is none')
  return {
    id,
    at: entry.number('at'),
    hop: entry.text('hop'),
    sender: pathOf(entry.value('sender'), 'sender'),
    recipients: entry.list('recipients').map((one) => pathOf(one, 'recipients')),
    delivered: entry.list('delivered').map((one) => pathOf(one, 'delivered')),
    client: clientOf(entry.value('client'), 'client'),
    score: entry.value('score') === undefined ? undefined : entry.number('score'),
    reasons: entry.list('reasons').map((one) => (typeof one === 'string' ? one : wrong('reasons'))),
    size: entry.number('size'),
    chunked: entry.flag('chunked'),
    binary: entry.flag('binary'),
  }
}

/** For people: without brackets, the bytes read as UTF-8; `<>` for the null reverse-path. Control characters are still in it. */
export function readablePath({ path: { wire } }: EnvelopePath): string {
  const inside = wire === '<>' ? wire : wire.replace(/^<(.*)>$/s, '$1')
  return /[^\x00-\x7f]/.test(inside) ? Buffer.from(inside, 'latin1').toString('utf8') : inside
}

interface Fields {
  value(name: string): unknown
  text(name: string): string
  optionalText(name: string): string | undefined
  number(name: string): number
  flag(name: string): boolean
  list(name: string): readonly unknown[]
}

function wrong(what: string): never {
  throw new Error(`${what} is not what was written`)
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong(what)
  const held = new Map<string, unknown>(Object.entries(value))
  const get = <T>(name: string, is: (found: unknown) => found is T): T => {
    const found = held.get(name)
    return is(found) ? found : wrong(`${what}: ${name}`)
  }
  return {
    value: (name) => held.get(name),
    text: (name) => get(name, isText),
    optionalText: (name) => (held.get(name) === undefined ? undefined : get(name, isText)),
    number: (name) => get(name, isNumber),
    flag: (name) => get(name, isFlag),
    list: (name) => get(name, isList),
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const isFlag = (value: unknown): value is boolean => typeof value === 'boolean'
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

function pathOf(value: unknown, what: string): EnvelopePath {
  const whole = fieldsOf(value, what)
  const path = fieldsOf(whole.value('path'), `${what}: path`)
  return {
    path: { wire: path.text('wire'), mailbox: path.value('mailbox') === null ? null : mailboxOf(path.value('mailbox'), what) },
    parameters: whole.list('parameters').map((one) => parameterOf(one, what)),
  }
}

function mailboxOf(value: unknown, what: string): Mailbox {
  const mailbox = fieldsOf(value, `${what}: mailbox`)
  // It was parsed when it came in, and is compared with nothing that was not.
  return { localPart: mailbox.text('localPart'), domain: mailbox.text('domain') as Domain }
}

function parameterOf(value: unknown, what: string): Parameter {
  const parameter = fieldsOf(value, `${what}: parameter`)
  return { keyword: parameter.text('keyword'), value: parameter.value('value') === null ? null : parameter.text('value') }
}

function clientOf(value: unknown, what: string): ClientFacts {
  const client = fieldsOf(value, what)
  const protocol = client.text('protocol')
  const source = client.text('source')
  if (protocol !== 'SMTP' && protocol !== 'ESMTP' && protocol !== 'LMTP') return wrong(`${what}: protocol`)
  if (source !== 'LOCAL' && source !== 'REMOTE') return wrong(`${what}: source`)
  const facts: ClientFacts = {
    address: client.optionalText('address'),
    port: client.value('port') === undefined ? undefined : client.number('port'),
    name: client.optionalText('name'),
    helo: client.optionalText('helo'),
    protocol,
    login: client.optionalText('login'),
    source,
    ident: client.text('ident'),
  }
  const origin = client.value('origin')
  return origin === undefined ? facts : { ...facts, origin: clientOf(origin, `${what}: origin`) }
}
