/** What the judgement stands on in a worker: opened, used, reloaded and closed with a real database and a real DNS server. */
import assert from 'node:assert/strict'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { WorkerServices, type ServiceSettings } from '../../../src/inbound/worker-services.ts'
import type { Log } from '../../../src/observe/log.ts'
import { openDatabase } from '../../../src/state/database.ts'
import { DecisionStore } from '../../../src/state/decisions.ts'
import { QUARANTINE_BOUNDS } from '../../../src/state/quarantine.ts'
import { parseCommand } from '../../../src/smtp/command.ts'
import { startDnsServer } from '../../support/dns-server.ts'
import { temporaryDirectory, until } from '../../support/process.ts'
import { heldMessage } from '../../support/stored-message.ts'
import { listed } from '../../support/judged-zone.ts'

function makeLog() {
  const lines: { readonly text: string; readonly facts: Readonly<Record<string, unknown>> }[] = []
  const keep = (facts: Readonly<Record<string, unknown>>, text: string) => void lines.push({ text, facts })
  return { lines, log: { debug: keep, info: keep, warn: keep, error: keep } satisfies Log }
}

function settings(state: string, more: Partial<ServiceSettings> = {}): ServiceSettings {
  return {
    state, dns: { servers: [{ host: '127.0.0.1', port: 1 }], timeoutMs: 200, tries: 1, cacheEntries: 100 }, dnsLists: [], rates: {}, greylist: undefined, allow: undefined,
    decisions: { maxAgeMs: 86_400_000, maxCount: 1000 }, quarantine: QUARANTINE_BOUNDS, judges: true, serves: false, ...more,
  }
}

function envelope(line: string) {
  const command = parseCommand(line)
  assert.ok('envelope' in command)
  return command.envelope
}

const FACTS = {
  id: 'ID1', at: Date.now(), hop: 'backend', sender: envelope('MAIL FROM:<a@b.example>'), recipients: [envelope('RCPT TO:<c@d.example>')], score: 1, reasons: [],
  client: { address: '192.0.2.7', port: 1, name: undefined, helo: 'h', protocol: 'ESMTP', login: undefined, source: 'REMOTE', ident: 'ID1' },
} as const

test('decisions are in the database after a tick, and after the end', async () => {
  const state = temporaryDirectory('services')
  const { log } = makeLog()
  const services = new WorkerServices(settings(state), log)
  services.remember({ id: 'A1', at: Date.now(), action: 'accept', record: { a: 1 } })
  services.tick()
  services.remember({ id: 'A2', at: Date.now(), action: 'reject', record: {} })
  await services.close()
  const database = openDatabase(state)
  const store = new DecisionStore(database, log)
  assert.deepEqual(store.find('a1')?.record, { a: 1 })
  assert.equal(store.find('A2')?.action, 'reject')
  database.close()
})

test('more decisions than may be kept go after a minute, some with each tick; also where nobody is judged', async () => {
  const state = temporaryDirectory('services')
  const { log } = makeLog()
  const services = new WorkerServices(settings(state, { decisions: { maxAgeMs: 86_400_000, maxCount: 100 }, judges: false }), log)
  for (let i = 0; i < 5000; i++) services.remember({ id: `A${i}`, at: Date.now() - 5000 + i, action: 'accept', record: {} })
  const database = openDatabase(state)
  const left = (): unknown => database.prepare('SELECT count(*) AS n FROM decisions').get()?.['n']
  for (let second = 1; second < 60; second++) services.tick()
  assert.equal(left(), 5000)
  services.tick()
  assert.equal(left(), 3000)
  services.tick()
  services.tick()
  assert.equal(left(), 100)
  assert.equal(new DecisionStore(database, log).find('A4900')?.action, 'accept')
  database.close()
  await services.close()
})

test('the quarantine: kept is on disk, full is no room, and neither rejects', async () => {
  const state = temporaryDirectory('services')
  const { log, lines } = makeLog()
  const services = new WorkerServices(settings(state, { quarantine: { maxBytes: 5000, maxAgeMs: 86_400_000 } }), log)
  const message = (size: number) => ({ prefix: Buffer.from('X: y\r\n'), body: heldMessage([Buffer.from('x'.repeat(size))]), chunked: false, binary: false })
  assert.equal(await services.quarantine(FACTS, message(100)), 'kept')
  assert.ok(statSync(join(state, 'quarantine', 'ID1.eml')).size > 100)
  assert.equal(await services.quarantine({ ...FACTS, id: 'ID2' }, message(9000)), 'no-room')
  assert.match(lines.at(-1)?.text ?? '', /the quarantine is full: release or delete messages/)
  // The same ID again is a bug of the caller; the client keeps its message.
  assert.equal(await services.quarantine(FACTS, message(1)), 'failed')
  await services.close()
})

test('a state directory that cannot be used is an error at the start', () => {
  const file = join(temporaryDirectory('services'), 'file')
  writeFileSync(file, '')
  assert.throws(() => new WorkerServices(settings(join(file, 'state')), makeLog().log), /ENOTDIR/)
})

test('a reload takes up other resolvers and lists; lists that stay are not proved again', async () => {
  const state = temporaryDirectory('services')
  const zone = { [listed('bl.example', '127.0.0.2')]: { A: ['127.0.0.2'] }, 'a.example': { A: ['192.0.2.1'] } }
  const [one, two] = [await startDnsServer(zone), await startDnsServer({ ...zone, 'a.example': { A: ['192.0.2.2'] } })]
  const dns = (server: typeof one): ServiceSettings['dns'] => ({ servers: [{ host: server.host, port: server.port }], timeoutMs: 2000, tries: 1, cacheEntries: 100 })
  const dnsLists = [{ zone: 'bl.example', kind: 'block', weight: 1, ipv6: true }] as const
  const services = new WorkerServices(settings(state, { dns: dns(one), dnsLists }), makeLog().log)
  services.tick()
  await until('the list is proved', () => services.services.lists.health()[0]?.state === 'healthy')
  assert.equal((await services.services.resolver.lookup('a.example', 'A')).status, 'records')
  const asked = one.queries.length
  services.reload(settings(state, { dns: dns(one), dnsLists, rates: { connections: { address: { most: 1, windowMs: 1000 } } } }))
  assert.equal(services.services.lists.health()[0]?.state, 'healthy')
  assert.equal((await services.services.resolver.lookup('a.example', 'A')).status, 'records')
  assert.equal(one.queries.length, asked)
  services.reload(settings(state, { dns: dns(two), dnsLists }))
  const found = await services.services.resolver.lookup('a.example', 'A')
  assert.deepEqual(found.status === 'records' ? found.records : found, ['192.0.2.2'])
  await until('the list is proved again', () => services.services.lists.health()[0]?.state === 'healthy')
  await services.close()
  await Promise.all([one.stop(), two.stop()])
})

test('the allow list is taken up as its file changes; errors and a lost file', async () => {
  const state = temporaryDirectory('services')
  const allow = join(state, 'allow.yaml')
  const { log, lines } = makeLog()
  const services = new WorkerServices(settings(state, { allow }), log)
  const ids = (): string[] => services.services.allowList().entries.map(({ id }) => id)
  assert.deepEqual(ids(), [])
  const entry = (id: string): string => `  - { id: ${id}, match: { domain: partner.example }, scope: all, reason: r, author: eve, expires: never }\n`
  writeFileSync(allow, `entries:\n${entry('a')}`)
  services.tick()
  assert.deepEqual(ids(), ['a'])
  writeFileSync(allow, `entries:\n${entry('a')}${entry('b')}  - nonsense\n`)
  services.tick()
  services.tick()
  assert.deepEqual(ids(), ['a'])
  assert.equal(lines.filter(({ text }) => /allow list has errors/.test(text)).length, 1)
  // An editor that writes a new file takes the old one away first.
  rmSync(allow)
  services.tick()
  assert.deepEqual(ids(), ['a'])
  assert.match(lines.at(-1)?.text ?? '', /cannot be read; what was read before counts on/)
  writeFileSync(allow, 'entries: []\n')
  services.tick()
  assert.deepEqual(ids(), [])
  await services.close()
})
