import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LookupError, recordingResolver } from '../../../src/auth/mailauth-resolver.ts'
import type { Resolver } from '../../../src/dns/resolver.ts'
import { zoneMap } from '../../support/zone-map.ts'

const ZONE = zoneMap({
  'a.example': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'], MX: [[10, 'mx.a.example'], [5, 'mx2.a.example']], TXT: ['one', ['two', 'parts']] },
  'b.example': { CNAME: 'a.example' },
  '1.2.0.192.in-addr.arpa': { PTR: ['a.example'] },
  'dead.example': 'timeout',
  'broken.example': 'servfail',
})

test('records come in the forms of node:dns', async () => {
  const { resolve, failures } = recordingResolver(ZONE)
  assert.deepEqual(await resolve('a.example', 'A'), ['192.0.2.1'])
  assert.deepEqual(await resolve('A.example', 'AAAA'), ['2001:db8::1'])
  assert.deepEqual(await resolve('a.example', 'TXT'), [['one'], ['two', 'parts']])
  assert.deepEqual(await resolve('a.example', 'MX'), [{ priority: 10, exchange: 'mx.a.example' }, { priority: 5, exchange: 'mx2.a.example' }])
  assert.deepEqual(await resolve('1.2.0.192.in-addr.arpa', 'PTR'), ['a.example'])
  assert.deepEqual(await resolve('b.example', 'CNAME'), ['a.example'])
  assert.deepEqual(failures, [])
})

test('the four ways of having no records are four codes, and only two of them are failures', async () => {
  const { resolve, failures } = recordingResolver(ZONE)
  for (const [name, type, code] of [['none.example', 'A', 'ENOTFOUND'], ['a.example', 'PTR', 'ENODATA'], ['dead.example', 'TXT', 'ETIMEOUT'], ['Broken.example', 'MX', 'ESERVFAIL']] as const) {
    await assert.rejects(resolve(name, type), (error) => error instanceof LookupError && error.code === code)
  }
  assert.deepEqual(failures.map(({ name, type, status }) => [name, type, status]), [['dead.example', 'TXT', 'timeout'], ['broken.example', 'MX', 'servfail']])
})

test('a question is asked once, also when it failed, and each asker has an answer of its own', async () => {
  const zone = zoneMap({ 'a.example': { TXT: ['x'] }, 'dead.example': 'timeout' })
  const { resolve, failures } = recordingResolver(zone)
  const [first, second] = await Promise.all([resolve('a.example', 'TXT'), resolve('A.EXAMPLE', 'TXT')])
  first.pop()
  assert.deepEqual(second, [['x']])
  const errors = await Promise.all([1, 2].map(() => resolve('dead.example', 'A').catch((error: unknown) => error)))
  assert.notEqual(errors[0], errors[1])
  assert.deepEqual(zone.queries, ['a.example TXT', 'dead.example A'])
  assert.equal(failures.length, 1)
})

test('a resolver that throws is a failure, never an empty answer; a type that is not known is an error', async () => {
  const broken: Resolver = { lookup: () => Promise.reject(new Error('boom')) }
  const { resolve, failures } = recordingResolver(broken)
  await assert.rejects(resolve('a.example', 'A'), { code: 'ESERVFAIL' })
  assert.match(failures[0]?.cause ?? '', /boom/)
  await assert.rejects(resolve('a.example', 'SRV'), /a type of record that the resolver does not know/)
})

test('an error says why and takes no stack; other errors still have theirs', async () => {
  const { resolve } = recordingResolver(ZONE)
  const error: unknown = await resolve('none.example', 'TXT').catch((thrown: unknown) => thrown)
  assert.ok(error instanceof LookupError)
  assert.deepEqual([error.message, error.stack, error.failed], ['none.example does not exist', 'LookupError: none.example does not exist', null])
  assert.match(new Error('other').stack ?? '', /\n +at /)
})
