/** A self-signed certificate for `localhost` and 127.0.0.1, made by openssl for one test run. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, temporaryDirectory } from '../process.ts'

export interface Certificate {
  readonly certFile: string
  readonly keyFile: string
  readonly cert: string
  readonly key: string
}

export async function makeCertificate(): Promise<Certificate> {
  const directory = temporaryDirectory('certificate')
  const certFile = join(directory, 'cert.pem')
  const keyFile = join(directory, 'key.pem')
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const made = await run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', keyFile, '-out', certFile, ...subject])
  if (made.code !== 0) throw new Error(`openssl made no certificate:\n${made.output}`)
  return { certFile, keyFile, cert: readFileSync(certFile, 'latin1'), key: readFileSync(keyFile, 'latin1') }
}
