/** The facts of a TLS that no test has shaken hands for. */
import type { TlsFacts } from '../../src/smtp/session-handler.ts'

export function tlsFacts(change: Partial<TlsFacts> = {}): TlsFacts {
  return { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', channelBinding: () => undefined, clientCertificate: undefined, ...change }
}
