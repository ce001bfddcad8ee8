/**
 * Messages for bench/inbound.ts: of a wanted size, signed by their sender with
 * RSA-2048 and, where asked for, sealed by a forwarder (ARC, one set). Written
 * so that relaxed canonicalization (RFC 6376 §3.4) has nothing to change, which
 * makes signing a hash and one RSA operation: a load signs as it goes.
 */
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { SELECTOR, type BenchSender } from './inbound-dns.ts'
import { Words } from './spam-messages.ts'

/** a name and its value, without line ends */
type Field = readonly [name: string, value: string]

export class SignedMail {
  /** base64, as it stands in the DNS */
  readonly publicKey: string
  readonly #key: KeyObject
  readonly #body: Buffer
  readonly #bodyHash: string

  /** @param bytes of the whole message, about */
  constructor(bytes: number) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.#key = privateKey
    this.publicKey = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    this.#body = Buffer.from(`${new Words(7).text(bytes - 1500)}\r\n`, 'latin1')
    this.#bodyHash = createHash('sha256').update(this.#body).digest('base64')
  }

  /** What goes over the wire behind DATA, the final dot included. @param sealer a forwarder's domain */
  data({ domain }: BenchSender, sealer?: string): Buffer {
    const fields: readonly Field[] = [
      ['From', `Anna Bench <anna@${domain}>`], ['To', 'Bob <bob@hop.example>'], ['Subject', 'The figures of this week'], ['Date', 'Sat, 21 Nov 2026 10:00:00 +0000'],
      ['Message-ID', `<1.2.3@${domain}>`], ['MIME-Version', '1.0'], ['Content-Type', 'text/plain; charset=us-ascii'],
      ['Received', `from desk.${domain} (desk.${domain} [192.0.2.44]) by mx.${domain} with ESMTPSA id 0123456789; Sat, 21 Nov 2026 09:59:59 +0000`],
      ['User-Agent', 'Bench/1.0'], ['X-Campaign', 'none'],
    ]
    const signed = [this.#signature('DKIM-Signature', `v=1; a=rsa-sha256; c=relaxed/relaxed; d=${domain}; s=${SELECTOR}; t=1700000000;`, fields.slice(0, 7)), ...fields]
    const whole = sealer === undefined ? signed : [...this.#sealed(sealer, signed), ...signed]
    return Buffer.concat([Buffer.from(whole.map(([name, value]) => `${name}: ${value}\r\n`).join('') + '\r\n', 'latin1'), this.#body, Buffer.from('.\r\n', 'latin1')])
  }

  /** RFC 8617 §5.1 */
  #sealed(sealer: string, fields: readonly Field[]): readonly Field[] {
    const results: Field = ['ARC-Authentication-Results', `i=1; ${sealer}; dkim=pass header.d=example.org; dmarc=pass header.from=example.org`]
    const signature = this.#signature('ARC-Message-Signature', `i=1; a=rsa-sha256; c=relaxed/relaxed; d=${sealer}; s=${SELECTOR}; t=1700000000;`, fields.slice(0, 8))
    const tags = `i=1; a=rsa-sha256; cv=none; d=${sealer}; s=${SELECTOR}; t=1700000000; b=`
    return [['ARC-Seal', tags + this.#sign([results, signature, ['ARC-Seal', tags]])], signature, results]
  }

  #signature(name: string, tags: string, over: readonly Field[]): Field {
    const value = `${tags} h=${over.map(([field]) => field).join(':')}; bh=${this.#bodyHash}; b=`
    return [name, value + this.#sign([...over, [name, value]])]
  }

  #sign(fields: readonly Field[]): string {
    return sign('sha256', Buffer.from(fields.map(([name, value]) => `${name.toLowerCase()}:${value}`).join('\r\n'), 'latin1'), this.#key).toString('base64')
  }
}
