/**
 * How a client proves by SASL who it is (RFC 4422): SCRAM-SHA-256 and -PLUS
 * (RFC 5802, 7677, 9266), CRAM-MD5 (RFC 2195), PLAIN (RFC 4616), LOGIN. One
 * exchange each, without I/O; what a server says that makes no sense, or shows
 * that it does not know the password, is a `Fault`.
 */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

export interface Login {
  readonly user: string
  readonly password: string
}

export class Fault {
  /** for the log */
  readonly detail: string

  constructor(detail: string) {
    this.detail = detail
  }
}

export interface ClientExchange {
  /** goes with AUTH; null: the server speaks first */
  readonly initial: Buffer | null
  answer(challenge: Buffer): Promise<Buffer | Fault> | Buffer | Fault
  /** the server may say that all is well: it has shown what it had to show */
  readonly finished: boolean
}

export interface ExchangeTerms {
  readonly login: Login
  /** `tls-exporter` of the connection (RFC 9266); undefined: none to be had */
  readonly channelBinding: Buffer | undefined
  /** 18 bytes are enough for ever; a test hands in its own */
  readonly nonce?: string
}

const derive = promisify(pbkdf2)
/** RFC 7677 §4 asks for 4096 at least; far more than a million would be meant to keep us busy. */
const ITERATIONS = { least: 4096, most: 1_000_000 } as const
const EMPTY = Buffer.alloc(0)

/** From strong to weak. */
export const CLIENT_MECHANISMS = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'LOGIN'] as const
export type ClientMechanism = (typeof CLIENT_MECHANISMS)[number]

export function beginExchange(mechanism: ClientMechanism, terms: ExchangeTerms): ClientExchange {
  const { user, password } = terms.login
  switch (mechanism) {
    case 'SCRAM-SHA-256-PLUS': return new Scram(terms, terms.channelBinding)
    case 'SCRAM-SHA-256': return new Scram(terms, undefined)
    case 'CRAM-MD5': return scripted(null, [(challenge) => `${user} ${createHmac('md5', password).update(challenge).digest('hex')}`])
    case 'PLAIN': return scripted(`\0${user}\0${password}`, [])
    case 'LOGIN': return scripted(null, [() => user, () => password])
  }
}

/** A mechanism in which the server proves nothing, and each answer follows from one challenge. */
function scripted(initial: string | null, answers: readonly ((challenge: Buffer) => string)[]): ClientExchange {
  let next = 0
  return {
    initial: initial === null ? null : Buffer.from(initial, 'utf8'),
    answer(challenge) {
      const answer = answers[next++]
      return answer === undefined ? new Fault('one challenge more than the mechanism has') : Buffer.from(answer(challenge), 'utf8')
    },
    finished: true,
  }
}

class Scram implements ClientExchange {
  readonly initial: Buffer
  finished = false
  readonly #password: string
  readonly #nonce: string
  /** what the client's last message repeats of the beginning, for the server to compare */
  readonly #bound: Buffer
  readonly #first: string
  #expected: Buffer | undefined

  constructor({ login, nonce = randomBytes(18).toString('base64') }: ExchangeTerms, binding: Buffer | undefined) {
    // RFC 5802 §6: `n` says that this client binds to no channel, which holds where it does not.
    const header = binding === undefined ? 'n,,' : 'p=tls-exporter,,'
    this.#bound = Buffer.concat([Buffer.from(header), binding ?? EMPTY])
    this.#password = prepared(login.password)
    this.#nonce = nonce
    this.#first = `n=${prepared(login.user).replace(/=/g, '=3D').replace(/,/g, '=2C')},r=${nonce}`
    this.initial = Buffer.from(header + this.#first, 'utf8')
  }

  answer(challenge: Buffer): Promise<Buffer | Fault> | Buffer | Fault {
    const text = challenge.toString('utf8')
    if (this.finished) return new Fault('a challenge after the end')
    return this.#expected === undefined ? this.#prove(text) : this.#verify(text, this.#expected)
  }

  /** RFC 5802 §3, §5.1 */
  async #prove(serverFirst: string): Promise<Buffer | Fault> {
    const [, nonce = '', salt = '', count = ''] = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9][0-9]{0,9})(?:,[^]*)?$/.exec(serverFirst) ?? []
    if (nonce === '') return new Fault('the first message of SCRAM is malformed')
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) return new Fault('SCRAM with another nonce than ours')
    const iterations = Number(count)
    if (iterations < ITERATIONS.least || iterations > ITERATIONS.most) return new Fault(`SCRAM with ${count} iterations; ${ITERATIONS.least} to ${ITERATIONS.most} are taken`)
    const salted = await derive(this.#password, Buffer.from(salt, 'base64'), iterations, 32, 'sha256')
    const withoutProof = `c=${this.#bound.toString('base64')},r=${nonce}`
    const all = `${this.#first},${serverFirst},${withoutProof}`
    const clientKey = hmac(salted, 'Client Key')
    const signature = hmac(createHash('sha256').update(clientKey).digest(), all)
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)))
    this.#expected = hmac(hmac(salted, 'Server Key'), all)
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`, 'utf8')
  }

  #verify(serverFinal: string, expected: Buffer): Buffer | Fault {
    const [, kind, value = ''] = /^(v|e)=([^,]*)/.exec(serverFinal) ?? []
    if (kind === 'e') {
      // Its refusal follows, and is what counts.
      return EMPTY
    }
    const shown = Buffer.from(value, 'base64')
    if (kind !== 'v' || shown.length !== expected.length || !timingSafeEqual(shown, expected)) return new Fault('the server does not know our password: it may be another than it says')
    this.finished = true
    return EMPTY
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest()
}

/** SASLprep (RFC 4013 §2.1, §2.2), without its prohibitions: what the server refuses it refuses. */
export function prepared(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text
  return text.replace(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g, ' ').replace(/[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/g, '').normalize('NFKC')
}
