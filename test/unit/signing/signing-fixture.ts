/** Keys made once, files for them, and messages, for the tests of signing. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after } from 'node:test'
import { HeaderSectionReader } from '../../../src/message/header-section.ts'
import type { Log } from '../../../src/observe/log.ts'
import { DEFAULT_FIELDS, DEFAULT_OVERSIGN, DEFAULT_OVERSIGN_PRESENT } from '../../../src/signing/fields.ts'
import { publicDataOf } from '../../../src/signing/private-key.ts'
import type { SigningKeySettings, SigningSettings } from '../../../src/signing/settings.ts'
import type { SigningRequest } from '../../../src/signing/signing.ts'

export interface MadeKey {
  readonly pem: string
  readonly publicData: string
  readonly record: string
}

const made = new Map<string, MadeKey>()

/** The same key for the same name: RSA keys take a while to make. */
export function key(name: string): MadeKey {
  const known = made.get(name)
  if (known !== undefined) return known
  const ed = name.startsWith('ed')
  const bits = Number(/\d{3,4}$/.exec(name)?.[0] ?? 2048)
  const { privateKey } = ed ? generateKeyPairSync('ed25519') : generateKeyPairSync('rsa', { modulusLength: bits })
  const publicData = publicDataOf(privateKey)
  const one = { pem: pemOf(privateKey), publicData, record: `v=DKIM1; k=${ed ? 'ed25519' : 'rsa'}; p=${publicData}` }
  made.set(name, one)
  return one
}

export function pemOf(privateKey: KeyObject, type: 'pkcs8' | 'pkcs1' = 'pkcs8'): string {
  return privateKey.export({ type, format: 'pem' }).toString()
}

/** A folder that goes away with the test file. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'postern-signing-'))
  after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export function put(path: string, text: string, mode = 0o600): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

export function settings(some: Partial<SigningSettings> = {}): SigningSettings {
  return {
    keys: [], directory: undefined, selector: undefined, tables: undefined, canonicalization: { header: 'relaxed', body: 'relaxed' },
    fields: DEFAULT_FIELDS, oversign: DEFAULT_OVERSIGN, oversignPresent: DEFAULT_OVERSIGN_PRESENT, expireSeconds: undefined, requirePublished: false, singleSignature: [], onError: 'tempfail', ...some,
  }
}

export function keySettings(domain: string, selector: string, some: Partial<SigningKeySettings> & { readonly key: string }): SigningKeySettings {
  return { domain, selector, subdomains: false, senders: undefined, listIds: undefined, users: undefined, listeners: undefined, addressFields: ['from'], ...some }
}

export interface Asked {
  readonly fields?: readonly string[]
  readonly listener?: string
  readonly login?: string
  readonly to?: readonly string[]
  readonly entitled?: (address: string) => boolean
  readonly added?: readonly string[]
}

/** @param from the value of From; with `fields` instead the whole header */
export function request(from: string, { fields, listener = 'out', login, to = ['b.example'], entitled = () => true, added = [] }: Asked = {}): SigningRequest {
  const reader = new HeaderSectionReader()
  reader.feed(Buffer.from(`${(fields ?? [`From: ${from}`, 'To: b@b.example', 'Subject: tea']).join('\r\n')}\r\n\r\n`))
  return { listener, login, sender: null, recipientDomains: new Set(to), section: reader.finish(), entitledTo: entitled, addedFields: new Set(added) }
}

export interface Line {
  readonly level: string
  readonly facts: Readonly<Record<string, unknown>>
  readonly text: string
}

export function recordingLog(): { readonly log: Log; readonly lines: Line[] } {
  const lines: Line[] = []
  const at = (level: string) => (facts: Readonly<Record<string, unknown>>, text: string): void => void lines.push({ level, facts, text })
  return { lines, log: { debug: () => undefined, info: at('info'), warn: at('warn'), error: at('error') } }
}

export const ROOT = { uid: 0, gids: [0] }
