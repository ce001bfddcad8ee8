/** One question to one server, where the stub cannot make it happen. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askOverTcp, askOverUdp, nameServer } from '../../../src/dns/exchange.ts'
import { encodeQuery, headOfAnswer } from '../../../src/dns/message.ts'
import { startDnsServer } from '../../support/dns-server.ts'
import { queryOf } from './wire.ts'

const query = queryOf()
const head = (bytes: Buffer) => headOfAnswer(bytes, query)

for (const [name, ask] of [['UDP', askOverUdp], ['TCP', askOverTcp]] as const) {
  test(`over ${name}: what is over before it begins is not begun`, async (t) => {
    const server = await startDnsServer({})
    t.after(() => server.stop())
    const outcome = await ask({ server, query: encodeQuery(query), head, signal: AbortSignal.abort('too late') })
    assert.ok(outcome.status === 'lost' && outcome.cause.includes('too late'))
    assert.deepEqual(server.queries, [])
  })

  test(`over ${name}: what is called off on the way ends at once`, async (t) => {
    const server = await startDnsServer({ 'a.example': 'timeout' })
    t.after(() => server.stop())
    const controller = new AbortController()
    const outcome = ask({ server, query: encodeQuery(query), head, signal: controller.signal })
    await server.asked('a.example')
    controller.abort('called off')
    const { status, cause } = await outcome as { status: string; cause: string }
    assert.deepEqual([status, cause.endsWith('called off')], ['lost', true])
  })

  test(`over ${name}: an address that cannot be asked is a loss, not an error`, async () => {
    // Everybody's address: the kernel connects nobody to it.
    const outcome = await ask({ server: { host: '255.255.255.255', port: 53 }, query: encodeQuery(query), head, signal: AbortSignal.timeout(30_000) })
    assert.ok(outcome.status === 'lost' && /EACCES|ENETUNREACH/.test(outcome.cause), JSON.stringify(outcome))
  })
}

test('servers by name', () => {
  assert.equal(nameServer({ host: '192.0.2.1', port: 53 }), '192.0.2.1:53')
  assert.equal(nameServer({ host: 'fe80::1%eth0', port: 5353 }), '[fe80::1%eth0]:5353')
})
