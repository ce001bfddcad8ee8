/**
 * Other people's DKIM (RFC 6376) as a test wants it: sign this message, verify
 * that one, many hundred times, with keys out of a table and never out of the
 * DNS. OpenDKIM's library, Mail::DKIM and dkimpy run in a process of their own
 * each (dkim-opendkim.py, dkim-mail-dkim.pl, dkim-dkimpy.py), mailauth in this
 * one.
 *
 * Over the pipes: a request is a line of JSON with `bytes`, then so many bytes
 * of message; an answer is a line of JSON. The first line, unasked, is the
 * version and the algorithms. What a peer refuses, or dies of, is `refused`; an
 * Error where the program does not run at all.
 */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Canonicalization, SigningAlgorithm } from '../../../src/auth/dkim/signing-order.ts'
import { recordName, recordText } from '../../../src/signing/key-record.ts'
import { publicDataOf } from '../../../src/signing/private-key.ts'

export interface PeerOrder {
  readonly algorithm: SigningAlgorithm
  readonly header: Canonicalization
  readonly body: Canonicalization
  readonly domain: string
  readonly selector: string
  /** h=, in lower case, repeated as often as they are to be signed */
  readonly names: readonly string[]
  /** those in `names` once more than they occur; OpenDKIM counts for itself, mailauth has no such thing */
  readonly over: readonly string[]
  /** l=; dkimpy takes the whole body whatever the number is */
  readonly limit?: number
}

export type PeerSigning = { readonly status: 'signed'; /** with its line end */ readonly field: string } | { readonly status: 'refused'; readonly cause: string }

export interface PeerResult {
  readonly selector: string
  readonly status: 'pass' | 'fail'
  /** in the peer's words, where it does not pass */
  readonly detail: string
}

export type PeerVerdict = { readonly status: 'verified'; /** of the signatures that it takes for signatures */ readonly results: readonly PeerResult[] } | { readonly status: 'refused'; readonly cause: string }

export interface DkimPeer {
  readonly name: 'opendkim' | 'mail-dkim' | 'dkimpy' | 'mailauth'
  readonly version: string
  readonly algorithms: readonly SigningAlgorithm[]
  sign(message: Buffer, order: PeerOrder): Promise<PeerSigning>
  verify(message: Buffer): Promise<PeerVerdict>
  stop(): Promise<void>
}

/** One pair of keys for each algorithm, and the records of all names they are published under. */
export interface PeerKeys {
  readonly private: Readonly<Record<SigningAlgorithm, KeyObject>>
  /** by name, as `selector._domainkey.domain` */
  readonly records: Readonly<Record<string, string>>
}

export function makePeerKeys(names: readonly { readonly selector: string; readonly domain: string; readonly algorithm: SigningAlgorithm }[]): PeerKeys {
  const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { privateKey: ed25519 } = generateKeyPairSync('ed25519')
  const keys = { 'rsa-sha256': rsa, 'ed25519-sha256': ed25519 }
  // The records as we tell people to publish them: so the peers read those too.
  return { private: keys, records: Object.fromEntries(names.map((name) => [recordName(name), recordText({ algorithm: name.algorithm, publicData: publicDataOf(keys[name.algorithm]) })])) }
}

const COMMANDS = {
  // Debian's own Python: its packages are of no other.
  'opendkim': ['/usr/bin/python3', 'dkim-opendkim.py'],
  'dkimpy': ['/usr/bin/python3', 'dkim-dkimpy.py'],
  'mail-dkim': ['/usr/bin/perl', 'dkim-mail-dkim.pl'],
} as const

export type PeerProgram = keyof typeof COMMANDS

/** What each needs, as programs that end with 0 where it is there. */
const NEEDED: Readonly<Record<PeerProgram, readonly string[]>> = {
  'opendkim': ['/usr/bin/python3', '-c', 'import ctypes; ctypes.CDLL("libopendkim.so.11")'],
  'dkimpy': ['/usr/bin/python3', '-c', 'import dkim, nacl.signing'],
  'mail-dkim': ['/usr/bin/perl', '-MMail::DKIM', '-MNet::DNS', '-MJSON::PP', '-e', '1'],
}

/** Why a test with these peers has to be skipped, or false; an Error where nothing may be (POSTERN_INTEROP=required). */
export function dkimPeersMissing(): string | false {
  const lacking = Object.entries(NEEDED).filter(([, [program = '', ...rest]]) => spawnSync(program, rest, { stdio: 'ignore' }).status !== 0).map(([name]) => name)
  if (lacking.length === 0) return false
  const text = `not installed: ${lacking.join(', ')} (test/support/install-peers)`
  if (process.env['POSTERN_INTEROP'] === 'required') throw new Error(`POSTERN_INTEROP=required, but ${text}`)
  return text
}

export async function startDkimPeer(name: PeerProgram, keys: PeerKeys): Promise<DkimPeer> {
  const [program, script] = COMMANDS[name]
  const pipe = new JsonPipe(spawn(program, [join(import.meta.dirname, script)], { stdio: ['pipe', 'pipe', 'pipe'] }), name)
  const { version, algorithms } = await pipe.next() as { version: string; algorithms: SigningAlgorithm[] }
  const nothing = Buffer.alloc(0)
  await pipe.ask({ op: 'keys', records: keys.records, keys: exported(keys) }, nothing)
  return {
    name, version, algorithms,
    async sign(message, { limit, ...order }) {
      const { field, refused } = await pipe.ask({ op: 'sign', limit: limit ?? null, ...order }, message) as { field?: string; refused?: string }
      return field === undefined ? { status: 'refused', cause: String(refused) } : { status: 'signed', field }
    },
    async verify(message) {
      const { results, refused } = await pipe.ask({ op: 'verify' }, message) as { results?: PeerResult[]; refused?: string }
      return results === undefined ? { status: 'refused', cause: String(refused) } : { status: 'verified', results }
    },
    stop: () => pipe.end(),
  }
}

/** In the forms that the peers read: PKCS #1 and PKCS #8, and the bare seed of an Ed25519 key. */
function exported({ private: { 'rsa-sha256': rsa, 'ed25519-sha256': ed25519 } }: PeerKeys): object {
  const seed = ed25519.export({ type: 'pkcs8', format: 'der' }).subarray(-32).toString('base64')
  return {
    'rsa-sha256': { pem: rsa.export({ type: 'pkcs8', format: 'pem' }), pkcs1: rsa.export({ type: 'pkcs1', format: 'pem' }) },
    'ed25519-sha256': { pem: ed25519.export({ type: 'pkcs8', format: 'pem' }), seed },
  }
}

/** Requests and answers of one program, in order. */
class JsonPipe {
  readonly #child: ChildProcess
  readonly #name: string
  readonly #waiting: { readonly resolve: (answer: object) => void; readonly reject: (error: Error) => void }[] = []
  readonly #early: object[] = []
  readonly #closed: Promise<void>
  #errors = ''
  #over = false

  constructor(child: ChildProcess, name: string) {
    this.#child = child
    this.#name = name
    // The peer ends when its input does: it does not outlive this process.
    child.stderr?.on('data', (chunk: Buffer) => { this.#errors = (this.#errors + chunk.toString('latin1')).slice(-4096) })
    child.stdin?.on('error', () => undefined)
    if (child.stdout !== null) createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (line) => this.#answered(JSON.parse(line) as object))
    this.#closed = new Promise((resolve) => {
      child.once('error', (error) => { this.#errors += error.message; this.#ended(); resolve() })
      child.once('close', () => { this.#ended(); resolve() })
    })
  }

  ask(request: object, message: Buffer): Promise<object> {
    this.#child.stdin?.write(Buffer.concat([Buffer.from(`${JSON.stringify({ ...request, bytes: message.length })}\n`), message]))
    return this.next()
  }

  next(): Promise<object> {
    const early = this.#early.shift()
    if (early !== undefined) return Promise.resolve(early)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      if (this.#over) this.#ended()
    })
  }

  async end(): Promise<void> {
    this.#child.stdin?.end()
    await this.#closed
  }

  #answered(answer: object): void {
    const first = this.#waiting.shift()
    if (first === undefined) this.#early.push(answer)
    else first.resolve(answer)
  }

  #ended(): void {
    this.#over = true
    for (const { reject } of this.#waiting.splice(0)) reject(new Error(`${this.#name} ended:\n${this.#errors}`))
  }
}

interface Library {
  readonly sign: { readonly dkimSign: (message: Buffer, options: object) => Promise<{ signatures: string; errors: readonly { err: Error }[] }> }
  readonly verify: { readonly dkimVerify: (message: Buffer, options: object) => Promise<{ results: readonly { selector?: string; status: { result: string; comment?: string | false } }[] }> }
}

export function mailauthPeer(keys: PeerKeys): DkimPeer {
  const load = createRequire(import.meta.url)
  const { dkimSign } = load('mailauth/lib/dkim/sign.js') as Library['sign']
  const { dkimVerify } = load('mailauth/lib/dkim/verify.js') as Library['verify']
  const { version } = load('mailauth/package.json') as { version: string }
  const resolver = (name: string): Promise<string[][]> => {
    const text = keys.records[name]
    return text === undefined ? Promise.reject(Object.assign(new Error(name), { code: 'ENOTFOUND' })) : Promise.resolve([[text]])
  }
  return {
    name: 'mailauth', version, algorithms: ['rsa-sha256', 'ed25519-sha256'],
    async sign(message, { algorithm, header, body, domain, selector, names, limit }) {
      const { signatures, errors: [error] } = await dkimSign(message, {
        strict: true, canonicalization: `${header}/${body}`, algorithm, headerList: [...new Set(names)],
        signatureData: [{ signingDomain: domain, selector, privateKey: keys.private[algorithm].export({ type: 'pkcs8', format: 'pem' }), ...(limit === undefined ? {} : { maxBodyLength: limit }) }],
      })
      return error === undefined ? { status: 'signed', field: signatures } : { status: 'refused', cause: error.err.message }
    },
    async verify(message) {
      const { results } = await dkimVerify(message, { strict: true, resolver })
      return {
        status: 'verified',
        results: results.filter(({ selector }) => selector !== undefined).map(({ selector = '', status: { result, comment } }) => ({ selector, status: result === 'pass' ? 'pass' : 'fail', detail: result === 'pass' ? '' : `${result} (${String(comment)})` })),
      }
    },
    stop: () => Promise.resolve(),
  }
}
