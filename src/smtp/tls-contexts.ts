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
  private checking = false

  private constructor(loaded: Loaded[], log: Log) {
    this.loaded = loaded
    this.log = log
  }

  /** Rejects, naming the file, where a pair cannot be used. */
  static async load(pairs: readonly CertificatePair[], log: Log): Promise<TlsContexts> {
    return new TlsContexts(await Promise.all(pairs.map(loadPair)), log)
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
      fingerprint = await fileFingerprint(loaded.files)
      if (fingerprint === loaded.fingerprint) return loaded
      const fresh = await loadPair(loaded.files)
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

async function loadPair(files: CertificatePair): Promise<Loaded> {
  // The fingerprint comes first: a change while we read is seen next time.
  const fingerprint = await fileFingerprint(files)
  const [cert, key] = await Promise.all([readFile(files.cert), readFile(files.key)])
  try {
    const context = createSecureContext({ cert, key, minVersion: 'TLSv1.2' })
    return { files, context, certificate: new X509Certificate(cert), fingerprint, failed: undefined }
  } catch (error) {
    throw new Error(`${files.cert} and ${files.key} cannot be used: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

async function fileFingerprint(files: CertificatePair): Promise<string> {
  const stats = await Promise.all([stat(files.cert), stat(files.key)])
  return stats.map((s) => `${s.dev}:${s.ino}:${s.size}:${s.mtimeMs}`).join(' ')
}
