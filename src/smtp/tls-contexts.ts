/**
 * The certificates of a listener: TLS 1.2 and up, chosen by SNI (RFC 6066 §3),
 * read again when their files change. A file that cannot be used keeps the old
 * certificate in place and is reported, once for each change.
 */
import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Log } from '../observe/log.ts'

export interface CertificatePair {
  readonly cert: string
  readonly key: string
}

/** What a listener wants of its clients' certificates. */
export interface ClientCertificates {
  /** PEM file of the authorities that may sign them, and that are named to the client; undefined: any certificate, which proves only that the client has its key */
  readonly ca: string | undefined
}

interface Loaded {
  readonly files: CertificatePair
  readonly context: SecureContext
  readonly certificate: X509Certificate
  readonly fingerprint: string
  /** of the files that could not be used, where that was reported */
  failed: string | undefined
}

export class TlsContexts {
  private loaded: Loaded[]
  private readonly log: Log
  /** undefined: clients are not asked for a certificate */
  readonly clientCertificates: ClientCertificates | undefined
  private checking = false

  private constructor(loaded: Loaded[], log: Log, clientCertificates: ClientCertificates | undefined) {
    this.loaded = loaded
    this.log = log
    this.clientCertificates = clientCertificates
  }

  /** Rejects, naming the file, where a pair or the list of authorities cannot be used. */
  static async load(pairs: readonly CertificatePair[], log: Log, clientCertificates?: ClientCertificates): Promise<TlsContexts> {
    return new TlsContexts(await Promise.all(pairs.map((pair) => loadPair(pair, clientCertificates))), log, clientCertificates)
  }

  /** The first certificate: for clients that name no host, or one that we do not have. */
  get default(): SecureContext {
    const first = this.loaded[0]
    if (first === undefined) throw new Error('a TLS listener has at least one certificate')
    return first.context
  }

  select(servername: string): SecureContext {
    const match = this.loaded.find((l) => l.certificate.checkHost(servername) !== undefined)
    return match?.context ?? this.default
  }

  /** Looks at the files and takes over what changed. Never rejects. */
  async refresh(): Promise<void> {
    if (this.checking) return
    this.checking = true
    try {
      this.loaded = await Promise.all(this.loaded.map((l) => this.refreshOne(l)))
    } finally {
      this.checking = false
    }
  }

  private async refreshOne(loaded: Loaded): Promise<Loaded> {
    const { cert, key } = loaded.files
    let fingerprint = 'unknown'
    try {
      fingerprint = await fileFingerprint(loaded.files, this.clientCertificates)
      if (fingerprint === loaded.fingerprint) return loaded
      const fresh = await loadPair(loaded.files, this.clientCertificates)
      this.log.info({ cert, expires: fresh.certificate.validTo }, 'certificate reloaded')
      return fresh
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error)
      if (loaded.failed !== fingerprint) this.log.error({ cert, key, cause }, 'certificate cannot be reloaded, the old one stays')
      loaded.failed = fingerprint
      return loaded
    }
  }
}

async function loadPair(files: CertificatePair, clients: ClientCertificates | undefined): Promise<Loaded> {
  // The fingerprint comes first: a change while we read is seen next time.
  const fingerprint = await fileFingerprint(files, clients)
  const [cert, key, ca] = await Promise.all([readFile(files.cert), readFile(files.key), clients?.ca === undefined ? undefined : readFile(clients.ca)])
  if (ca !== undefined) checkAuthorities(clients?.ca ?? '', ca)
  try {
    // Sessions of clients with certificates are taken up again only under a name of our own; tickets are of one context, and so of one list of authorities.
    const context = createSecureContext({ cert, key, minVersion: 'TLSv1.2', sessionIdContext: 'postern', ...(ca === undefined ? {} : { ca }) })
    return { files, context, certificate: new X509Certificate(cert), fingerprint, failed: undefined }
  } catch (error) {
    throw new Error(`${files.cert} and ${files.key} cannot be used: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** An empty list, which would let nobody in, or a file that is none. */
function checkAuthorities(file: string, pem: Buffer): void {
  try {
    new X509Certificate(pem)
  } catch (error) {
    throw new Error(`${file} is no list of certificates in PEM form: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

async function fileFingerprint(files: CertificatePair, clients: ClientCertificates | undefined): Promise<string> {
  const stats = await Promise.all([files.cert, files.key, ...(clients?.ca === undefined ? [] : [clients.ca])].map((file) => stat(file)))
  return stats.map((s) => `${s.dev}:${s.ino}:${s.size}:${s.mtimeMs}`).join(' ')
}
