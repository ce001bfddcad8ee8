/**
 * Messages for bench/inbound.ts: the text, the attachments and most fields of
 * somebody's mail, in the name of a sender of the bench, signed by it with
 * RSA-2048 and, where asked for, sealed by a forwarder (ARC, one set). Bodies are
 * brought into the form to which relaxed canonicalization (RFC 6376 §3.4) has
 * nothing to do, and so are the fields that are signed, which makes signing a
 * hash and one RSA operation: a load signs as it goes.
 */
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { SELECTOR, type BenchSender } from './inbound-dns.ts'

/** a name and its value, without line ends */
type Field = readonly [name: string, value: string]

/** What is ours to say of a message. The bench's gateway adds the results of its checks itself. */
const OURS = /^(?:from|to|subject|date|message-id|sender|reply-to|return-path|dkim-signature|arc-.*|authentication-results)$/i

interface Template {
  readonly subject: string
  /** as they came, with their line ends */
  readonly others: string
  /** as it goes over the wire behind DATA, the final dot included */
  readonly stuffed: Buffer
  readonly bodyHash: string
}

export class SignedMail {
  /** base64, as it stands in the DNS */
  readonly publicKey: string
  readonly #key: KeyObject
  readonly #templates: readonly Template[]
  readonly #date = new Date().toUTCString().replace('GMT', '+0000')

  /** @param messages what they say; CRLF ends their lines */
  constructor(messages: readonly Buffer[]) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.#key = privateKey
    this.publicKey = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    this.#templates = messages.map(templateOf)
  }

  /** how many there are */
  get count(): number {
    return this.#templates.length
  }

  /**
   * What goes over the wire behind DATA, the final dot included.
   * @param number which message; they come again after the last
   * @param sealer a forwarder's domain
   */
  data({ domain }: BenchSender, number: number, sealer?: string): Buffer {
    const template = this.#templates[number % this.count]
    if (template === undefined) throw new Error('there are no messages to send')
    const fields: readonly Field[] = [['From', `Anna Bench <anna@${domain}>`], ['To', 'Bob <bob@hop.example>'], ['Subject', template.subject], ['Date', this.#date], ['Message-ID', `<${number}.2.3@${domain}>`]]
    const signed = [this.#signature('DKIM-Signature', `v=1; a=rsa-sha256; c=relaxed/relaxed; d=${domain}; s=${SELECTOR}; t=1700000000;`, { over: fields, template }), ...fields]
    const whole = sealer === undefined ? signed : [...this.#sealed(sealer, signed, template), ...signed]
    return Buffer.concat([Buffer.from(`${whole.map(([name, value]) => `${name}: ${value}\r\n`).join('')}${template.others}\r\n`, 'latin1'), template.stuffed])
  }

  /** RFC 8617 §5.1 */
  #sealed(sealer: string, fields: readonly Field[], template: Template): readonly Field[] {
    const results: Field = ['ARC-Authentication-Results', `i=1; ${sealer}; dkim=pass header.d=example.org; dmarc=pass header.from=example.org`]
    const signature = this.#signature('ARC-Message-Signature', `i=1; a=rsa-sha256; c=relaxed/relaxed; d=${sealer}; s=${SELECTOR}; t=1700000000;`, { over: fields, template })
    const tags = `i=1; a=rsa-sha256; cv=none; d=${sealer}; s=${SELECTOR}; t=1700000000; b=`
    return [['ARC-Seal', tags + this.#sign([results, signature, ['ARC-Seal', tags]])], signature, results]
  }

  #signature(name: string, tags: string, { over, template }: { readonly over: readonly Field[]; readonly template: Template }): Field {
    const value = `${tags} h=${over.map(([field]) => field).join(':')}; bh=${template.bodyHash}; b=`
    return [name, value + this.#sign([...over, [name, value]])]
  }

  #sign(fields: readonly Field[]): string {
    return sign('sha256', Buffer.from(fields.map(([name, value]) => `${name.toLowerCase()}:${value}`).join('\r\n'), 'latin1'), this.#key).toString('base64')
  }
}

function templateOf(message: Buffer): Template {
  const text = message.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  const lines = (end < 0 ? text : text.slice(0, end)).split(/\r\n(?![ \t])/)
  const named = lines.map((field) => ({ name: field.slice(0, Math.max(0, field.indexOf(':'))).trim(), field })).filter(({ name }) => name !== '')
  const subject = named.find(({ name }) => name.toLowerCase() === 'subject')?.field.slice('subject:'.length) ?? ''
  const body = Buffer.from(relaxed(end < 0 ? '' : text.slice(end + 4)), 'latin1')
  return {
    subject: subject.replace(/\s+/g, ' ').trim() || 'The figures of this week',
    others: named.filter(({ name }) => !OURS.test(name)).map(({ field }) => `${field}\r\n`).join(''),
    bodyHash: createHash('sha256').update(body).digest('base64'),
    stuffed: Buffer.from(`${body.toString('latin1').replace(/^\./gm, '..')}.\r\n`, 'latin1'),
  }
}

/** RFC 6376 §3.4.4. A gateway mends other line ends, and then no signature holds. */
function relaxed(body: string): string {
  const lines = body.replace(/\0/g, '').split(/\r\n|\r|\n/).map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''))
  while (lines.at(-1) === '') lines.pop()
  return `${lines.join('\r\n')}\r\n`
}
