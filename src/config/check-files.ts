/**
 * Checks the files that a configuration refers to: there and readable,
 * certificates and keys that are what they should be and belong together.
 * Errors and warnings go to the collector. A key that every user can read is
 * warned of and not refused, since secrets mounted into containers often come
 * so, where there is no other user.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { quote } from './problem.ts'
import type { KeyPath } from './problem.ts'
import type { Collector } from './section.ts'
import type { Machine } from './machine.ts'
import type { Purpose } from './model.ts'

const MAX_PEM_BYTES = 1024 * 1024

export interface FileContext {
  readonly collector: Collector
  readonly machine: Machine
  readonly purpose: Purpose
}

/** Keys, passwords and users are for those who use them. */
export function usesFiles({ purpose }: Pick<FileContext, 'purpose'>): boolean {
  return purpose === 'gateway' || purpose === 'delivery'
}

/** A file that another part reads later. */
export function checkReadable(...[path, key, context, allowed = 'a file that can be read']: [string, KeyPath, FileContext, string?]): void {
  const { collector } = context
  if (!usesFiles(context)) return
  const problem = unreadable(path)
  if (problem !== undefined) collector.error(key, problem, allowed)
}

/** A directory that is made where it is missing. */
export function checkDirectory(path: string, key: KeyPath, { collector }: FileContext): void {
  try {
    if (!statSync(path).isDirectory()) collector.error(key, `${quote(path)} is not a directory`, 'a directory')
  } catch (error) {
    const code = systemCode(error)
    if (code !== 'ENOENT') collector.error(key, `${quote(path)}: ${code}`, 'a directory, or a place for one')
  }
}

function unreadable(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) return `${quote(path)} is not a file`
    // Not access(2), which asks for the real user where the effective one is meant.
    closeSync(openSync(path, 'r'))
    return undefined
  } catch (error) {
    return describeFailure(path, error)
  }
}

function describeFailure(path: string, error: unknown): string {
  const code = systemCode(error)
  if (code === 'ENOENT') return `there is no file ${quote(path)}`
  return code === 'EACCES' ? `no permission to read ${quote(path)}` : `cannot read ${quote(path)}: ${code}`
}

/** The code of a failed system call; anything else is a bug and goes on. */
export function systemCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  throw error
}

/** A certificate chain and its key. */
export function checkCertificate(pair: { cert: string; key: string }, keys: { cert: KeyPath; key: KeyPath }, context: FileContext): void {
  if (!usesFiles(context)) return
  const certificate = readCertificate(pair.cert, keys.cert, context)
  const privateKey = readKey(pair.key, keys.key, context)
  if (certificate !== undefined && privateKey !== undefined && !certificate.checkPrivateKey(privateKey)) {
    context.collector.error(keys.key, `the key in ${quote(pair.key)} does not belong to the certificate in ${quote(pair.cert)}`,
      'the key of the first certificate in the file')
  }
}

/** Authorities, one after the other. */
export function checkAuthorities(path: string, key: KeyPath, context: FileContext): void {
  if (!usesFiles(context)) return
  const text = readPem(path, key, context)
  if (text === undefined) return
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0 || blocks.some((block) => parseCertificate(block) === undefined)) {
    context.collector.error(key, `${quote(path)} holds ${blocks.length === 0 ? 'no certificate' : 'a certificate that cannot be read'}`, 'certificates in PEM form')
  }
}

function readCertificate(path: string, key: KeyPath, context: FileContext): X509Certificate | undefined {
  const text = readPem(path, key, context)
  if (text === undefined) return undefined
  const certificate = text.includes('-----BEGIN CERTIFICATE-----') ? parseCertificate(text) : undefined
  if (certificate === undefined) {
    context.collector.error(key, `${quote(path)} holds no certificate that can be read`, 'certificates in PEM form')
    return undefined
  }
  const now = context.machine.nowMs()
  if (Date.parse(certificate.validTo) < now) context.collector.warn(key, `the certificate in ${quote(path)} ended on ${certificate.validTo}`)
  if (Date.parse(certificate.validFrom) > now) context.collector.warn(key, `the certificate in ${quote(path)} begins on ${certificate.validFrom}`)
  return certificate
}

function parseCertificate(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text)
  } catch {
    // OpenSSL's reasons tell an operator nothing; that it cannot be read is the outcome.
    return undefined
  }
}

function readKey(path: string, key: KeyPath, context: FileContext): KeyObject | undefined {
  const text = readPem(path, key, context)
  if (text === undefined) return undefined
  if ((statSync(path).mode & 0o004) !== 0) context.collector.warn(key, `every user can read the key in ${quote(path)}; chmod o-r is better`)
  try {
    return createPrivateKey(text)
  } catch (error) {
    const encrypted = systemCode(error) === 'ERR_MISSING_PASSPHRASE' || text.includes('ENCRYPTED')
    context.collector.error(key, encrypted ? `the key in ${quote(path)} has a passphrase` : `${quote(path)} holds no private key that can be read`,
      'a private key in PEM form, without a passphrase')
    return undefined
  }
}

function readPem(path: string, key: KeyPath, { collector }: FileContext): string | undefined {
  const problem = unreadable(path)
  if (problem !== undefined) {
    collector.error(key, problem, 'a PEM file that can be read')
    return undefined
  }
  if (statSync(path).size > MAX_PEM_BYTES) {
    collector.error(key, `${quote(path)} is larger than ${MAX_PEM_BYTES} bytes`, 'a PEM file')
    return undefined
  }
  return readFileSync(path, 'latin1')
}
