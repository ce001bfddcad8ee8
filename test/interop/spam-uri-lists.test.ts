/**
 * Block lists for links behind a running gateway: a listing counts, a list that
 * lists everything does not, and a DNS that says nothing refuses nothing.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { missing } from '../support/peers/programs.ts'
import { LETTER, type Stage } from '../support/policy-stage.ts'
import { CLIENT, ZONE } from '../support/policy-zone.ts'
import { until } from '../support/process.ts'
import { postern, sendAndTake, spamStatus, startSpamStage, WORKERS } from '../support/spam-stage.ts'

const LISTS = [
  { zone: 'uri.example', weight: 6, test: { listed: 'test.example', unlisted: 'invalid' } },
  { zone: 'world.example', weight: 20, test: { listed: 'test.example', unlisted: 'invalid' } },
  { zone: 'ip.example', kind: 'address', weight: 2.5 },
]
const DNS = {
  ...ZONE,
  'test.example.uri.example': { A: ['127.0.0.2'] },
  'bad-shop.com.uri.example': { A: ['127.0.0.2'], TXT: ['a shop of spammers'] },
  'quiet.com.uri.example': { A: 'timeout' },
  // ZONE has *.world.example: it lists everybody.
  '2.0.0.127.ip.example': { A: ['127.0.0.2'] },
  '9.113.0.203.ip.example': { A: ['127.0.0.4'] },
} as const

const linking = (...urls: readonly string[]): string => LETTER.replace('One line.', urls.map((url) => `Look at ${url} now.`).join('\r\n'))

describe('lists for links', { skip: missing('swaks') }, () => {
  let stage: Stage
  before(async () => {
    stage = await startSpamStage({ zone: DNS, dns: { timeout: '500ms' }, policy: { spam: { reject: 7 } }, spam: { shipped_rules: false, uri_lists: LISTS } })
    // Until then nothing of them is believed.
    const proved = (): number => stage.gateway.log().filter(({ msg, zone }) => /^the DNS list /.test(String(msg)) && LISTS.some((list) => list.zone === zone)).length
    await until('each worker has looked at each list', () => proved() >= WORKERS * LISTS.length, { detail: () => stage.gateway.output() })
  })
  after(() => stage.stop())

  const check = async (id: string): Promise<{ readonly result: string; readonly detail: string } | undefined> => (await stage.decision(id)).record.checks.find((one) => one.check === 'uri_list')

  test('a listed domain counts with its weight and its name; postern why says which, and by what answer', async () => {
    const found = await sendAndTake(stage, CLIENT.clean, { data: linking('https://www.bad-shop.com/offer?x=1') })
    assert.deepEqual([found.spam, found.score, found.tests], [true, 6, ['URI_URI_EXAMPLE']])
    const { record } = await stage.decision(found.id)
    const asked = record.checks.find((one) => one.check === 'uri_list')?.dns ?? []
    assert.ok(asked.some(({ question, answer }) => question === 'A bad-shop.com.uri.example' && answer.includes('127.0.0.2')), JSON.stringify(asked))
    assert.match((await postern(stage.gateway, 'why', found.id)).output, /\+6 +URI_URI_EXAMPLE +uri\.example lists (?:www\.)?bad-shop\.com/)
  })

  test('two lists add up to a refusal, and what nobody lists is let through', async () => {
    const refused = await stage.swaks(CLIENT.clean, { data: linking('http://bad-shop.com/', 'http://203.0.113.9/page') })
    assert.match(refused.last, /^550 5\.7\.1 .* \(\w{10}\)$/, refused.output)
    const clean = await sendAndTake(stage, CLIENT.clean, { data: linking('https://good-shop.com/') })
    assert.deepEqual([clean.spam, clean.tests], [false, []])
    assert.equal((await check(clean.id))?.result, 'clean')
  })

  test('a list that lists everything is set aside, told once a worker, and counts nothing', async () => {
    const said = stage.gateway.log().filter(({ zone, level }) => zone === 'world.example' && level === 'error')
    assert.equal(said.length, WORKERS)
    assert.match(String(said[0]?.['why']), /invalid/)
    const { id } = await sendAndTake(stage, CLIENT.clean, { data: linking('https://good-shop.com/') })
    assert.match((await check(id))?.detail ?? '', /world\.example: error: /)
    assert.deepEqual(stage.dns.queries.filter((query) => query.startsWith('good-shop.com.world.example')), [], 'nobody asks it any more')
  })

  test('an answer that does not come is temperror, and a listing beside it counts all the same', async () => {
    const silent = await sendAndTake(stage, CLIENT.clean, { data: linking('https://quiet.com/') })
    assert.deepEqual([silent.spam, silent.tests], [false, ['URI_LIST_TEMPERROR']])
    assert.equal((await check(silent.id))?.result, 'temperror')
    const both = await sendAndTake(stage, CLIENT.clean, { data: linking('https://quiet.com/', 'https://bad-shop.com/') })
    assert.deepEqual([both.spam, both.tests], [true, ['URI_URI_EXAMPLE']])
  })

  test('a DNS that says nothing at all refuses nothing for good', async () => {
    stage.dns.misbehave('*', 'drop')
    const sent = await stage.swaks(CLIENT.clean, { data: linking('https://never-asked.com/') })
    assert.match(sent.last, /^250 /, sent.output)
    const [message] = await stage.mailbox().take(1)
    assert.equal((await check(spamStatus(message ?? '').id))?.result, 'temperror')
    // Nor a client and a sender that nobody knows.
    const stranger = await stage.swaks(CLIENT.relay, { from: 'post@relay.example', helo: 'mail.relay.example', data: linking('https://never-asked.net/') })
    assert.match(stranger.last, /^(?:250|4\d\d) /, stranger.output)
    assert.doesNotMatch(stranger.output, /^<\*\* 5/m)
    stage.dns.misbehave('*', undefined)
  })
})
