/** The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), by node:crypto alone. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'

export interface ScramClientOptions {
  readonly user: string
  readonly password: string
  /** `n,,`, `y,,`, `p=tls-exporter,,`, `n,a=other,` */
  readonly header?: string
  readonly binding?: Buffer
  readonly nonce?: string
}

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

export class ScramClient {
  readonly first: Buffer
  readonly #options: ScramClientOptions
  readonly #bare: string
  #signature = ''

  constructor(options: ScramClientOptions) {
    this.#options = options
    this.#bare = `n=${options.user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${options.nonce ?? 'rOprNGfwEbeRWgbNEkqO'}`
    this.first = Buffer.from((options.header ?? 'n,,') + this.#bare)
  }

  /** @param serverFirst r=…,s=…,i=… */
  final(serverFirst: string): Buffer {
    const { header = 'n,,', binding = Buffer.alloc(0), password } = this.#options
    const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? []
    const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256')
    const key = hmac(salted, 'Client Key')
    const without = `c=${Buffer.concat([Buffer.from(header), binding]).toString('base64')},r=${nonce}`
    const authMessage = `${this.#bare},${serverFirst},${without}`
    const signature = hmac(createHash('sha256').update(key).digest(), authMessage)
    this.#signature = hmac(hmac(salted, 'Server Key'), authMessage).toString('base64')
    return Buffer.from(`${without},p=${Buffer.from(key.map((byte, i) => byte ^ (signature[i] ?? 0))).toString('base64')}`)
  }

  /** What the server must say to be the one that knows the password. */
  get serverFinal(): string {
    return `v=${this.#signature}`
  }
}
