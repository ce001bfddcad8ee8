/**
 * Connections to an engine: TCP, a unix socket, either with TLS. The file of
 * authorities is read with the first connection. What is wrong with it is said
 * in a sentence; nothing rejects.
 */
import { readFile } from 'node:fs/promises'
import { isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { thrownText } from '../../auth/stranger-text.ts'
import { PatientSocket } from './patient-socket.ts'
import type { EngineAddress, EngineTls } from './settings.ts'

export type Dialled = { readonly status: 'ok'; readonly socket: Socket; readonly ready: 'connect' | 'secureConnect' } | { readonly status: 'failed'; readonly cause: string }
export type TlsOptions = { readonly status: 'ok'; readonly options: ConnectionOptions } | { readonly status: 'failed'; readonly cause: string }

export class Dialler {
  readonly #address: EngineAddress
  readonly #tls: EngineTls | undefined
  #options: ConnectionOptions | undefined

  constructor(address: EngineAddress, tls: EngineTls | undefined) {
    this.#address = address
    this.#tls = tls
  }

  /** Under way, not yet there: `ready` is its event for that, and it may be an error instead. */
  async dial(): Promise<Dialled> {
    if (this.#tls === undefined) return { status: 'ok', socket: new PatientSocket().connect(this.#address), ready: 'connect' }
    const tls = await this.tlsOptions(this.#tls)
    return tls.status === 'failed' ? tls : { status: 'ok', socket: connectTls({ ...tls.options, ...this.#address }), ready: 'secureConnect' }
  }

  async tlsOptions({ ca, servername, verify }: EngineTls): Promise<TlsOptions> {
    if (this.#options !== undefined) return { status: 'ok', options: this.#options }
    const host = 'host' in this.#address ? this.#address.host : undefined
    const name = servername ?? (host === undefined || isIP(host) !== 0 ? undefined : host)
    try {
      const authorities = ca === undefined ? undefined : await readFile(ca)
      this.#options = { rejectUnauthorized: verify, ...(name !== undefined && { servername: name }), ...(authorities !== undefined && { ca: authorities }) }
      return { status: 'ok', options: this.#options }
    } catch (error) {
      return { status: 'failed', cause: `the file of authorities cannot be read: ${thrownText(error)}` }
    }
  }
}
