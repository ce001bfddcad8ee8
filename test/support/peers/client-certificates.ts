/**
 * An authority for client certificates and what it signs, made by openssl for
 * one test run; and certificates that nobody signed but their own key. An Error
 * with openssl's output where it makes none.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, temporaryDirectory } from '../process.ts'

export interface ClientCertificateFiles {
  readonly certFile: string
  readonly keyFile: string
  /** SHA-256, with colons */
  readonly fingerprint: string
}

export interface Authority extends ClientCertificateFiles {
  /** a certificate for a client, with this mail address in it */
  issue(address: string): Promise<ClientCertificateFiles>
}

export async function makeAuthority(name = 'Test CA'): Promise<Authority> {
  const own = await make(['-x509', '-days', '2', '-subj', `/CN=${name}`, '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'])
  return {
    ...own,
    issue: (address) => make(['-x509', '-days', '2', '-CA', own.certFile, '-CAkey', own.keyFile, ...clientFields(address)]),
  }
}

export function selfSigned(address: string): Promise<ClientCertificateFiles> {
  return make(['-x509', '-days', '2', ...clientFields(address)])
}

function clientFields(address: string): string[] {
  return ['-subj', '/CN=client', '-addext', `subjectAltName=email:${address}`, '-addext', 'basicConstraints=critical,CA:FALSE', '-addext', 'extendedKeyUsage=clientAuth']
}

async function make(options: readonly string[]): Promise<ClientCertificateFiles> {
  const directory = temporaryDirectory('client-certificate')
  const certFile = join(directory, 'cert.pem')
  const keyFile = join(directory, 'key.pem')
  const made = await run(['openssl', 'req', '-newkey', 'rsa:2048', '-nodes', '-keyout', keyFile, '-out', certFile, ...options])
  if (made.code !== 0) throw new Error(`openssl made no certificate:\n${made.output}`)
  return { certFile, keyFile, fingerprint: new X509Certificate(readFileSync(certFile)).fingerprint256 }
}
