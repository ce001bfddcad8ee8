/** What an authenticator is told of the session that it works for. */
import type { SaslExchange } from '../smtp/authentication.ts'

/** RFC 9266; RFC 5929 §4 */
export type ChannelBindingType = 'tls-exporter' | 'tls-server-end-point'

export interface ClientCertificate {
  /** one of the authorities that the listener names has signed it, and it holds now */
  readonly authorized: boolean
  /** SHA-256 of its DER form, hexadecimal; case and colons do not matter */
  readonly fingerprint: string
  /** rfc822Name entries of its subjectAltName */
  readonly addresses: readonly string[]
}

/** Of a session whose TLS stands. */
export interface SessionTls {
  /** the bytes that both ends know; undefined: cannot be had on this connection */
  channelBinding(type: ChannelBindingType): Buffer | undefined
  readonly certificate: ClientCertificate | undefined
}

export interface SessionFacts {
  /** of the client; undefined for a unix socket */
  readonly address: string | undefined
  /** the one the client has connected to */
  readonly localAddress: string | undefined
  /** undefined: in clear */
  readonly tls: SessionTls | undefined
}

export interface Authenticator {
  /** what EHLO lists behind AUTH; empty: AUTH is not offered */
  mechanisms(tls: SessionTls | undefined): readonly string[]
  /** @param mechanism in any case; undefined: not offered (504 5.5.4) */
  begin(mechanism: string, facts: SessionFacts): SaslExchange | undefined
}
