/** Lists of domains, host addresses and hashes: what is asked, what it means, and whom nobody believes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lookup, RecordType, Resolver } from '../../../src/dns/resolver.ts'
import { hashLabel } from '../../../src/reputation/uri-hash.ts'
import { uriListWords, type UriListOutcome } from '../../../src/reputation/uri-lists.ts'
import type { UriSubject } from '../../../src/reputation/uri-questions.ts'
import { uriListProblem, type UriListZone } from '../../../src/reputation/uri-settings.ts'
import { linkTo, NAMES, provedUris, uriBed, WORKING, ZONE, type UriBed } from './uri-fixture.ts'

async function one(bed: UriBed, ...urls: string[]): Promise<UriListOutcome> {
  return first(bed, { links: urls.map((url) => linkTo(url)), addresses: [] })
}

async function first(bed: UriBed, subject: UriSubject): Promise<UriListOutcome> {
  const [outcome] = await bed.lists.check(subject)
  assert.ok(outcome !== undefined)
  return outcome
}

const COUNTED = { zone: ZONE, kind: 'domain', questions: 1, unasked: 0, most: 4 } as const
const LISTING = { item: 'badshop.com', codes: ['127.0.0.2'], labels: [], weight: 4 } as const
const LISTED = { ...COUNTED, status: 'listed', listings: [LISTING], labels: [], weight: 4, failed: 0 } as const

test('a listed domain, by what is registered; one that is not; a message without links', async () => {
  const bed = await provedUris(WORKING, [NAMES])
  assert.deepEqual(await one(bed, 'https://www.badshop.com/buy'), LISTED)
  assert.deepEqual(bed.zone.queries, [`badshop.com.${ZONE} A`])
  assert.deepEqual(await one(bed, 'https://fine.example/'), { ...COUNTED, status: 'not-listed' })
  assert.deepEqual(await one(bed), { ...COUNTED, questions: 0, status: 'not-asked', why: 'the message holds nothing that the list is about' })
  const both = await one(bed, 'https://a.badshop.com/', 'https://b.badshop.com/', 'https://fine.example/')
  assert.deepEqual(both, { ...LISTED, questions: 2 })
})

test('before it is proved a list is not asked; TEST must be listed and INVALID must not (RFC 5782 §5)', async () => {
  const bed = uriBed(WORKING, [NAMES])
  assert.deepEqual(bed.lists.health(), [{ zone: ZONE, kind: 'domain', state: 'unproved' }])
  assert.deepEqual(await one(bed, 'https://badshop.com/'), { ...COUNTED, status: 'error', stage: 'unproved', cause: 'the list has not been proved yet' })
  assert.deepEqual(bed.zone.queries, [])
  await bed.lists.tick()
  assert.deepEqual(bed.zone.queries, [`test.${ZONE} A`, `invalid.${ZONE} A`])
  assert.equal((await one(bed, 'https://badshop.com/')).status, 'listed')
  for (const [data, trouble] of [
    [{ [`*.${ZONE}`]: { A: ['127.0.0.2'] } }, 'lists-everything'],
    [{ [`badshop.com.${ZONE}`]: { A: ['127.0.0.2'] } }, 'lists-nothing'],
    [{ [`*.${ZONE}`]: { A: ['192.0.2.80'] } }, 'foreign'],
    [{ [`*.${ZONE}`]: { A: ['127.255.255.254'] } }, 'refused'],
    [{ [`*.${ZONE}`]: { A: ['127.0.0.1'] } }, 'refused'],
    [{ [`test.${ZONE}`]: 'timeout', [`badshop.com.${ZONE}`]: { A: ['127.0.0.2'] } }, 'silent'],
  ] as const) {
    const bad = uriBed(data, [NAMES])
    const [health] = await bad.lists.prove()
    assert.ok(health?.state === 'set-aside', trouble)
    assert.equal(health.trouble, trouble)
    bad.zone.forget()
    const outcome = await one(bad, 'https://badshop.com/')
    assert.ok(outcome.status === 'error' && outcome.stage === 'set-aside')
    assert.deepEqual(bad.zone.queries, [])
    assert.equal(bad.log.length, 1)
  }
})

test('test points of an operator', async () => {
  const test = { listed: 'dbltest.com', unlisted: 'example.com' }
  const bed = uriBed({ [`dbltest.com.${ZONE}`]: { A: ['127.0.1.2'] } }, [{ ...NAMES, test }])
  await bed.lists.tick()
  assert.deepEqual(bed.zone.queries, [`dbltest.com.${ZONE} A`, `example.com.${ZONE} A`])
  assert.equal(bed.lists.health()[0]?.state, 'healthy')
  const address = uriBed({ [`9.2.0.192.${ZONE}`]: { A: ['127.0.0.2'] } }, [{ zone: ZONE, kind: 'address', weight: 1, test: { listed: '192.0.2.9' } }])
  await address.lists.tick()
  assert.deepEqual(address.zone.queries, [`9.2.0.192.${ZONE} A`, `1.0.0.127.${ZONE} A`])
})

test('no failure is a listing, nor hides one', async () => {
  const bed = await provedUris({ ...WORKING, [`dead.com.${ZONE}`]: 'timeout', [`broken.com.${ZONE}`]: 'servfail' }, [NAMES])
  for (const name of ['dead.com', 'broken.com']) {
    const outcome = await one(bed, `https://${name}/`)
    assert.ok(outcome.status === 'error' && outcome.stage === 'look-up')
    assert.match(outcome.cause, new RegExp(`^${name}\\.uribl\\.example: `))
    assert.equal(uriListWords([outcome]), undefined)
  }
  assert.equal((await one(bed, 'https://dead.com/', 'https://fine.example/')).status, 'error')
  const both = await one(bed, 'https://dead.com/', 'https://badshop.com/')
  assert.deepEqual(both, { ...LISTED, questions: 2, failed: 1 })
})

test('answers that no list gives set it aside at once', async () => {
  for (const answer of ['192.0.2.53', '127.255.255.255', '127.0.0.1', '127.0.1.255']) {
    const bed = await provedUris({ ...WORKING, [`odd.com.${ZONE}`]: { A: [answer, '127.0.0.2'] } }, [NAMES])
    const outcome = await one(bed, 'https://odd.com/')
    assert.ok(outcome.status === 'error' && outcome.stage === 'answer', answer)
    assert.equal(bed.lists.health()[0]?.state, 'set-aside')
    const later = await one(bed, 'https://badshop.com/')
    assert.ok(later.status === 'error' && later.stage === 'set-aside')
    bed.pass(60_000)
    await bed.lists.tick()
    assert.equal((await one(bed, 'https://badshop.com/')).status, 'listed')
  }
})

test('return codes: bit masks, weights, labels; listings do not add up', async () => {
  const codes: UriListZone['codes'] = [{ code: '&0.0.0.8', weight: 6, label: 'phishing' }, { code: '&0.0.0.64', label: 'abuse' }]
  const data = { ...WORKING, [`a.com.${ZONE}`]: { A: ['127.0.0.72'] }, [`b.com.${ZONE}`]: { A: ['127.0.0.64'] }, [`c.com.${ZONE}`]: { A: ['127.0.0.4'] } }
  const bed = await provedUris(data, [{ ...NAMES, codes }])
  const outcome = await one(bed, 'https://b.com/', 'https://a.com/', 'https://c.com/')
  assert.ok(outcome.status === 'listed')
  assert.deepEqual(outcome.listings.map(({ item, labels, weight }) => [item, labels, weight]), [['a.com', ['phishing', 'abuse'], 6], ['b.com', ['abuse'], 4]])
  assert.deepEqual([outcome.labels, outcome.weight, outcome.most], [['phishing', 'abuse'], 6, 6])
  assert.deepEqual(uriListWords([outcome]), [ZONE, `${ZONE}/phishing`, `${ZONE}/abuse`])
  assert.equal((await one(bed, 'https://c.com/')).status, 'not-listed')
})

test('hosts that are addresses go to lists of addresses, and names only to the others', async () => {
  const zones: readonly UriListZone[] = [{ zone: ZONE, kind: 'address', weight: 2 }, { zone: 'six.example', kind: 'address', weight: 2, ipv6: true }, { ...NAMES, zone: 'names.example' }]
  const six = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2'
  const data = { ...Object.fromEntries([ZONE, 'six.example'].flatMap((zone) => [[`2.0.0.127.${zone}`, { A: ['127.0.0.2'] }], [`9.2.0.192.${zone}`, { A: ['127.0.0.2'] }], [`${six}.${zone}`, { A: ['127.0.0.2'] }]])), 'test.names.example': { A: ['127.0.0.2'] } }
  const bed = await provedUris(data, zones)
  const links = ['http://192.0.2.9/', 'http://[2001:db8::1]/', 'http://10.0.0.1/', 'http://127.0.0.2/', 'http://[::1]/', 'http://192.0.2.9/again'].map((url) => linkTo(url))
  const [four, both, names] = await bed.lists.check({ links, addresses: [] })
  assert.ok(four?.status === 'listed' && both?.status === 'listed')
  assert.deepEqual(four.listings.map(({ item }) => item), ['192.0.2.9'])
  assert.deepEqual(both.listings.map(({ item }) => item), ['192.0.2.9', '2001:0db8:0000:0000:0000:0000:0000:0001'])
  assert.equal(names?.status, 'not-asked')
  assert.deepEqual(bed.zone.queries, [`9.2.0.192.${ZONE} A`, '9.2.0.192.six.example A', `${six}.six.example A`])
})

test('hashes of addresses: author, reply, links to write to; the spelling does not matter', async () => {
  const form = { algorithm: 'sha1', encoding: 'hex' } as const
  const zone: UriListZone = { zone: 'ebl.example', kind: 'hash', of: 'email', ...form, weight: 5, test: { listed: 'Test@example.com' } }
  const label = (address: string): string => `${hashLabel(address, form)}.ebl.example`
  const bed = uriBed({ [label('test@example.com')]: { A: ['127.0.0.2'] }, [label('dropbox@gmail.com')]: { A: ['127.0.0.2'] } }, [zone])
  await bed.lists.tick()
  assert.deepEqual(bed.zone.queries, [`${label('test@example.com')} A`, `${label('nobody@unlisted.invalid')} A`])
  const outcome = await first(bed, { links: [linkTo('https://fine.example/'), linkTo('mailto:d.rop.box+1@GoogleMail.com?subject=x')], addresses: ['Alice@Example.org'] })
  assert.ok(outcome.status === 'listed')
  assert.deepEqual(outcome.listings.map(({ item }) => item), ['dropbox@gmail.com'])
  assert.equal(outcome.questions, 2)
  assert.equal((await first(bed, { links: [], addresses: ['drop.box@gmail.com'] })).status, 'listed')
  assert.equal((await first(bed, { links: [], addresses: ['nonsense'] })).status, 'not-asked')
})

test('hashes of URLs and domains in base32; a key in the zone\'s name is shown nowhere', async () => {
  const form = { algorithm: 'sha256', encoding: 'base32' } as const
  const secret = '_url.s3cretkey.hbl.example'
  const zones: readonly UriListZone[] = [
    { zone: secret, name: 'hbl-url', kind: 'hash', of: 'url', ...form, weight: 5, test: { listed: 'www.hbltest.com/test' } },
    { zone: 'hd.example', kind: 'hash', of: 'domain', ...form, weight: 1, test: { listed: 'listed.example' } },
  ]
  const label = (text: string): string => hashLabel(text, form)
  const bed = await provedUris({
    [`${label('www.hbltest.com/test')}.${secret}`]: { A: ['127.0.3.2'] },
    [`${label('cdn.example/Bad?id=7')}.${secret}`]: { A: ['127.0.3.2'] },
    [`${label('dead.example/')}.${secret}`]: 'timeout',
    [`${label('dead.example/x')}.${secret}`]: 'timeout',
    [`${label('listed.example')}.hd.example`]: { A: ['127.0.0.2'] },
  }, zones)
  const [url, domain] = await bed.lists.check({ links: [linkTo('https://cdn.example/Bad?id=7#top'), linkTo('https://listed.example/')], addresses: [] })
  assert.ok(url?.status === 'listed' && domain?.status === 'listed')
  assert.deepEqual([url.zone, url.listings.map(({ item }) => item)], ['hbl-url', ['cdn.example/Bad?id=7']])
  assert.deepEqual(domain.listings.map(({ item }) => item), ['listed.example'])
  const failed = await one(bed, 'https://dead.example/x')
  assert.equal(failed.status, 'error')
  bed.zone.set(`${label('www.hbltest.com/test')}.${secret}`, 'servfail')
  const health = await bed.lists.prove()
  assert.equal(health[0]?.state, 'set-aside')
  assert.doesNotMatch(JSON.stringify([failed, health, bed.log]), /s3cretkey/)
})

test('lists wait for none of the others, and at most so many look-ups are made at once', async () => {
  const names = Array.from({ length: 5 }, (_, i) => `l${i}.example`)
  let inFlight = 0
  let most = 0
  const counting = (resolver: Resolver): Resolver => ({
    async lookup<T extends RecordType>(name: string, type: T): Promise<Lookup<T>> {
      most = Math.max(most, ++inFlight)
      await new Promise((resolve) => setImmediate(resolve))
      inFlight--
      return resolver.lookup(name, type)
    },
  })
  const data = Object.fromEntries(names.map((zone) => [`test.${zone}`, { A: ['127.0.0.2'] }]))
  const bed = await provedUris(data, names.map((zone) => ({ ...NAMES, zone })), { around: counting, maxAtOnce: 8 })
  most = 0
  const outcomes = await bed.lists.check({ links: Array.from({ length: 30 }, (_, i) => linkTo(`https://d${i}.com/`)), addresses: [] })
  assert.deepEqual(outcomes.map(({ zone, questions, unasked }) => [zone, questions, unasked]), names.map((zone) => [zone, 20, 10]))
  assert.equal(most, 8)
  assert.deepEqual(bed.zone.queries.slice(0, 5).map((query) => query.replace(' A', '')), names.map((zone) => `d0.com.${zone}`))
})

test('settings that nobody checked', () => {
  const problem = (zone: UriListZone): string => uriListProblem(zone) ?? ''
  assert.equal(problem(NAMES), '')
  assert.match(problem({ ...NAMES, zone: 'a..b' }), /is no name/)
  assert.match(problem({ ...NAMES, zone: `${'a.'.repeat(80)}example` }), /at most 150/)
  assert.match(problem({ ...NAMES, codes: [{ code: '8.8.8.8' }] }), /return codes are in/)
  assert.match(problem({ ...NAMES, refusals: ['x'] }), /no return code/)
  assert.match(problem({ ...NAMES, weight: NaN }), /weight/)
  assert.match(problem({ ...NAMES, test: { listed: 'a..b' } }), /no test point/)
  assert.match(problem({ zone: ZONE, kind: 'address', weight: 1, test: { unlisted: 'example.com' } }), /no test point/)
  const hash: UriListZone = { zone: ZONE, kind: 'hash', of: 'email', algorithm: 'sha1', encoding: 'hex', weight: 1 }
  assert.match(problem(hash), /needs a test point/)
  assert.match(problem({ ...hash, test: { listed: 'nobody' } }), /no test point/)
  assert.equal(problem({ ...hash, test: { listed: 'B4A64D60F67529B0B18DF66EA2F292E09E43C975' } }), '')
  assert.match(problem({ ...hash, algorithm: 'sha256' }), /base32/)
  assert.throws(() => uriBed({}, [hash]), /was not checked/)
  assert.throws(() => uriBed({}, Array.from({ length: 31 }, () => NAMES)), /at most 30/)
})
