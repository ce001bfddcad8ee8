/** A quarantine on a simulated or a real disk, with a database of its own, and messages to keep. */
import type { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { nodeFileSystem, type FileSystem } from '../../../src/delivery/file-system.ts'
import type { OutgoingMessage } from '../../../src/message/message.ts'
import { parsePath } from '../../../src/smtp/address.ts'
import type { EnvelopePath, Parameter } from '../../../src/smtp/envelope.ts'
import { openDatabase } from '../../../src/state/database.ts'
import { Quarantine, type QuarantineBounds } from '../../../src/state/quarantine.ts'
import type { QuarantineFacts } from '../../../src/state/quarantine-entry.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { RecordedLog } from '../delivery/scripted-hop.ts'

export const NOW = 1_700_000_000_000
export const HOUR = 3_600_000
export const BOUNDS: QuarantineBounds = { maxBytes: 1_000_000, maxAgeMs: 24 * HOUR }

export function envelopePath(address: string, ...parameters: readonly Parameter[]): EnvelopePath {
  const parsed = parsePath(Buffer.from(`<${address}>`, 'utf8').toString('latin1'), 0)
  if (parsed.status !== 'ok') throw new Error(parsed.why)
  return { path: parsed.path, parameters }
}

export function facts(id: string, change: Partial<QuarantineFacts> = {}): QuarantineFacts {
  return {
    id, at: NOW, hop: 'backend',
    sender: envelopePath('ann@a.example', { keyword: 'BODY', value: '8BITMIME' }, { keyword: 'SMTPUTF8', value: null }),
    recipients: [envelopePath('bob@b.example'), envelopePath('Käthe@b.example', { keyword: 'NOTIFY', value: 'NEVER' })],
    client: { address: '192.0.2.7', port: 4711, name: undefined, helo: 'helo.example', protocol: 'ESMTP', login: undefined, source: 'REMOTE', ident: id },
    score: 12.5, reasons: ['score of 10 or more', 'BAYES_99'],
    ...change,
  }
}

export const PREFIX = 'X-Spam-Flag: YES\r\n'
export const BODY = 'Subject: a\r\n\r\nline one\r\n\r\n.two \xe4!\r\n'
export const WHOLE = PREFIX + BODY

/** `pieces`: from a temporary file, in pieces of so many bytes; otherwise in memory. */
export function outgoing(body = BODY, change: { readonly pieces?: number; readonly prefix?: string; readonly chunked?: boolean; readonly binary?: boolean } = {}): OutgoingMessage {
  const { pieces, prefix = PREFIX, chunked = false, binary = false } = change
  const bytes = Buffer.from(body, 'latin1')
  const cut = pieces ?? bytes.length
  return {
    prefix: Buffer.from(prefix, 'latin1'), chunked, binary,
    body: {
      size: bytes.length,
      memory: pieces === undefined ? [bytes] : null,
      async *chunks() {
        for (let at = 0; at < bytes.length; at += cut) yield await Promise.resolve(bytes.subarray(at, at + cut))
      },
      discard: () => undefined,
    },
  }
}

export interface Ground {
  readonly quarantine: Quarantine
  readonly database: DatabaseSync
  readonly log: RecordedLog
  readonly state: string
  readonly clock: { now: number }
}

/** Of a simulated disk the state directory is /state; on the real one it is where the database is. */
export function quarantineOn(t: TestContext, change: { readonly disk?: FileSystem; readonly bounds?: Partial<QuarantineBounds>; readonly state?: string; readonly clock?: { now: number } } = {}): Ground {
  const { disk, bounds, state = temporaryDirectory('quarantine'), clock = { now: NOW } } = change
  const database = openDatabase(state)
  t.after(() => {
    if (database.isOpen) database.close()
  })
  const log = new RecordedLog()
  const place = disk === undefined ? state : '/state'
  const quarantine = new Quarantine(place, { ...BOUNDS, ...bounds }, { database, files: disk ?? nodeFileSystem, log, now: () => clock.now })
  return { quarantine, database, log, state, clock }
}

export async function textOf(message: { chunks(): AsyncIterable<Buffer> }): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of message.chunks()) pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}
