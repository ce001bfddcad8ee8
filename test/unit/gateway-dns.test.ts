/** A reload that gives the gateway another DNS server: lists of links are asked, and believed, by that one. */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createGateway } from '../../src/gateway.ts'
import type { Log } from '../../src/observe/log.ts'
import { startDnsServer, type DnsServer } from '../support/dns-server.ts'
import { temporaryDirectory, until } from '../support/process.ts'
import { settingsFrom } from '../support/settings.ts'

const BELIEVED = 'the DNS list answers as it should, and is believed'

function listing(...zones: readonly string[]) {
  return Object.fromEntries(zones.map((zone) => [`test.${zone}`, { A: ['127.0.0.2'] }]))
}

async function stage(t: { after(work: () => Promise<void>): void }, begun: { readonly dns: DnsServer; readonly lists: readonly string[] }) {
  const directory = temporaryDirectory('gateway-dns')
  mkdirSync(join(directory, 'state'))
  const lines: { readonly level: string; readonly zone: unknown; readonly text: string }[] = []
  const at = (level: string) => (facts: Readonly<Record<string, unknown>>, text: string): void => void lines.push({ level, zone: facts['zone'], text })
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const settings = ({ dns, lists }: typeof begun) => settingsFrom(JSON.stringify({
    hostname: 'mx.example', state: join(directory, 'state'), workers: 0, domains: ['hop.example'],
    listeners: [{ name: 'inbound', role: 'inbound', listen: '127.0.0.1:0', next: 'hop' }], hops: { hop: { smtp: '127.0.0.1:1' } },
    dns: { servers: [`${dns.host}:${dns.port}`], timeout: '2s', tries: 1 },
    policy: { dnsbl: { lists: [] } },
    spam: { shipped_rules: false, uri_lists: lists },
  }), { cwd: directory })
  const gateway = createGateway(settings(begun), { log })
  t.after(() => gateway.stop())
  await gateway.start()
  return {
    reload: (to: typeof begun) => gateway.reload(settings(to)),
    believed: (zone: string) => until(`${zone} is believed`, () => lines.some((line) => line.zone === zone && line.text === BELIEVED)),
    errors: () => lines.filter(({ level }) => level === 'error'),
  }
}

test('reload: new lists of links are proved by the new DNS server, that comes with them', async (t) => {
  const zone = listing('one.example', 'two.example')
  const [old, fresh] = [await startDnsServer(zone), await startDnsServer(zone)]
  t.after(() => Promise.all([old.stop(), fresh.stop()]))
  const gateway = await stage(t, { dns: old, lists: ['one.example'] })
  await gateway.believed('one.example')
  await gateway.reload({ dns: fresh, lists: ['two.example'] })
  await gateway.believed('two.example')
  assert.deepEqual(old.queries.filter((query) => query.includes('two.example')), [])
  assert.deepEqual(gateway.errors(), [])
})

test('reload: lists of links that a wrong DNS server had set aside are proved again by the right one', async (t) => {
  const [wrong, right] = [await startDnsServer({}), await startDnsServer(listing('one.example'))]
  t.after(() => Promise.all([wrong.stop(), right.stop()]))
  const gateway = await stage(t, { dns: wrong, lists: ['one.example'] })
  await until('it is set aside', () => gateway.errors().some(({ zone }) => zone === 'one.example'))
  await gateway.reload({ dns: right, lists: ['one.example'] })
  await gateway.believed('one.example')
})
