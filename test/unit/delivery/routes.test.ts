import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inboundRoutes, outboundRoutes, type Routes } from '../../../src/delivery/routes.ts'
import { parseDomain, parsePath } from '../../../src/smtp/address.ts'
import * as replies from '../../../src/smtp/reply-catalogue.ts'
import { FakeHop } from '../../support/fake-hop.ts'

const domain = (name: string) => {
  const parsed = parseDomain(name)
  assert.ok(parsed !== null)
  return parsed
}
const one = new FakeHop('one', 'smtp', { offers: undefined })
const two = new FakeHop('two', 'lmtp', { offers: undefined })

function goes(routes: Routes, address: string): string {
  const path = parsePath(`<${Buffer.from(address).toString('latin1')}>`, 0)
  assert.ok(path.status === 'ok' && path.path.mailbox !== null, address)
  const route = routes.route(path.path.mailbox)
  return route.status === 'hop' ? route.hop.name : route.reply === replies.RELAYING_DENIED ? 'denied' : route.reply === replies.ROUTED_ADDRESS ? 'routed' : '?'
}

test('outbound: everything to the one hop, with whatever routing its clients mean', () => {
  const routes = outboundRoutes(one)
  assert.deepEqual(routes.hops, [one])
  for (const address of ['a@b.example', 'a%b@c.example', 'postmaster', 'a@[192.0.2.1]']) assert.equal(goes(routes, address), 'one')
})

test('inbound: our domains, each to its hop, and nothing else', () => {
  const routes = inboundRoutes(new Map([[domain('a.example'), one], [domain('b.example'), two], [domain('bücher.example'.replace('ü', 'u')), one]]), one)
  assert.deepEqual(routes.hops, [one, two])
  for (const [address, to] of [
    ['x@a.example', 'one'], ['x@B.Example', 'two'], ['"x y"@a.example', 'one'], ['postmaster', 'one'], ['x+y-z=1/2@a.example', 'one'],
    ['x@c.example', 'denied'], ['x@sub.a.example', 'denied'], ['x@[127.0.0.1]', 'denied'], ['x@a.example.c.example', 'denied'], ['x@xa.example', 'denied'],
    ['x%c.example@a.example', 'routed'], ['c.example!x@a.example', 'routed'], ['"x@c.example"@a.example', 'routed'], ['"x\\@c.example"@b.example', 'routed'],
    ['"x\\%c"@a.example', 'routed'], ['@a.example:x@c.example', 'denied'], ['@c.example:x@a.example', 'one'],
  ] as const) assert.equal(goes(routes, address), to, address)
})

test('a hop that only postmaster needs is a hop, too', () => {
  assert.deepEqual(inboundRoutes(new Map([[domain('b.example'), two]]), one).hops, [two, one])
})
