/**
 * What is known of a connection once its TLS stands: version and cipher, the
 * channel binding that SCRAM wants (RFC 9266, RFC 5929 §4), and the client's
 * certificate where one was asked for. Nothing throws; what cannot be had is
 * undefined.
 */
import { createHash, type X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { certificateHash } from './certificate-hash.ts'
import type { ClientCertificate, TlsFacts } from './session-handler.ts'

/** @param authorities certificates are asked for, and these are the listener's own list of who may sign them */
export function tlsFactsOf(socket: TLSSocket, { authorities }: { readonly authorities: boolean }): TlsFacts {
  const version = socket.getProtocol() ?? 'TLS'
  return {
    version,
    cipher: socket.getCipher().standardName,
    channelBinding: (type) => (type === 'tls-exporter' ? exported(socket, version) : endPoint(socket)),
    clientCertificate: clientCertificateOf(socket, authorities),
  }
}

/** RFC 9266 §2. Before TLS 1.3 it holds only with an extended master secret, which cannot be seen from here. */
export function exported(socket: TLSSocket, version: string | null): Buffer | undefined {
  if (version !== 'TLSv1.3') return undefined
  try {
    return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
  } catch {
    // The connection has gone.
    return undefined
  }
}

/** RFC 5929 §4.1: a hash of our certificate, by the function of its own signature. */
function endPoint(socket: TLSSocket): Buffer | undefined {
  const certificate = socket.getX509Certificate()
  const hash = certificate === undefined ? undefined : certificateHash(certificate.raw)
  return certificate === undefined || hash === undefined ? undefined : createHash(hash).update(certificate.raw).digest()
}

function clientCertificateOf(socket: TLSSocket, authorities: boolean): ClientCertificate | undefined {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  return {
    // Without a list of our own Node would take every public authority's word.
    authorized: authorities && isVerified(socket),
    fingerprint256: certificate.fingerprint256,
    subject: certificate.subject.replace(/\n/g, ', '),
    emails: emailsOf(certificate),
  }
}

/**
 * The outcome of the verification is in `authorized` only where Node's own
 * server made the socket; below it, it is to be asked for. A Node that answers
 * otherwise makes every certificate an unauthorized one.
 */
function isVerified(socket: TLSSocket): boolean {
  const { ssl } = socket as TLSSocket & { readonly ssl?: { readonly verifyError?: () => unknown } | null }
  return typeof ssl?.verifyError === 'function' && ssl.verifyError() === null
}

/**
 * Node writes names as `email:a@b, DNS:c`; one with special characters stands
 * in quotes, its commas escaped, so that no name can pass for two.
 */
export function emailsOf({ subjectAltName }: Pick<X509Certificate, 'subjectAltName'>): readonly string[] {
  const names = (subjectAltName ?? '').split(', ')
  return names.filter((name) => /^email:[^"]+$/.test(name)).map((name) => name.slice('email:'.length))
}
