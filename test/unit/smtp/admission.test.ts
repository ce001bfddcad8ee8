import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Admission, networkOf } from '../../../src/smtp/admission.ts'
import * as replies from '../../../src/smtp/reply-catalogue.ts'

test('sessions in all; who is refused is none', () => {
  const admission = new Admission({ sessions: 2, sessionsPerNetwork: 10 })
  assert.equal(admission.enter(), undefined)
  assert.equal(admission.enter(), undefined)
  assert.equal(admission.enter(), replies.TOO_MANY_SESSIONS)
  admission.leave()
  assert.equal(admission.enter(), undefined)
})

test('those who are refused may linger, up to a bound', () => {
  const admission = new Admission({ sessions: 2, sessionsPerNetwork: 10 })
  assert.deepEqual([admission.turnAway(), admission.turnAway(), admission.turnAway()], [true, true, false])
  admission.turnedAwayLeft()
  assert.equal(admission.turnAway(), true)
  assert.equal(admission.enter(), undefined)
})

test('a network whose last session has ended is forgotten', () => {
  const admission = new Admission({ sessions: 10, sessionsPerNetwork: 10 })
  for (const address of ['192.0.2.1', '192.0.2.2', '2001:db8::1']) admission.enterNetwork(address)
  assert.equal(admission.networkCount, 2)
  for (const address of ['192.0.2.1', '192.0.2.2', '2001:db8::1']) admission.leaveNetwork(address)
  assert.equal(admission.networkCount, 0)
})

test('sessions of one network', () => {
  const admission = new Admission({ sessions: 100, sessionsPerNetwork: 2 })
  assert.equal(admission.enterNetwork('192.0.2.1'), undefined)
  assert.equal(admission.enterNetwork('192.0.2.200'), undefined)
  assert.equal(admission.enterNetwork('192.0.2.3'), replies.TOO_MANY_FROM_NETWORK)
  assert.equal(admission.enterNetwork('192.0.3.3'), undefined)
  admission.leaveNetwork('192.0.2.1')
  assert.equal(admission.enterNetwork('192.0.2.3'), undefined)
  assert.equal(admission.enterNetwork('192.0.2.4'), replies.TOO_MANY_FROM_NETWORK)
})

test('IPv6 counts by /64', () => {
  const admission = new Admission({ sessions: 100, sessionsPerNetwork: 1 })
  assert.equal(admission.enterNetwork('2001:db8:1:2::1'), undefined)
  assert.equal(admission.enterNetwork('2001:db8:1:2:ffff::9'), replies.TOO_MANY_FROM_NETWORK)
  assert.equal(admission.enterNetwork('2001:db8:1:3::1'), undefined)
})

test('this machine is no network', () => {
  const admission = new Admission({ sessions: 100, sessionsPerNetwork: 1 })
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', undefined]) {
    for (let i = 0; i < 5; i++) assert.equal(admission.enterNetwork(address), undefined)
  }
})

test('new limits hold at once, for those who come', () => {
  const admission = new Admission({ sessions: 1, sessionsPerNetwork: 1 })
  admission.enter()
  admission.enterNetwork('192.0.2.1')
  admission.limits = { sessions: 2, sessionsPerNetwork: 2 }
  assert.equal(admission.enter(), undefined)
  assert.equal(admission.enterNetwork('192.0.2.1'), undefined)
})

test('the network of an address', () => {
  for (const [address, network] of [
    ['192.0.2.7', '192.0.2'], ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'], ['2001:db8::', '2001:db8:0:0'], ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8:1::2:3', '2001:db8:1:0'], ['1::', '1:0:0:0'], ['::2', '0:0:0:0'], ['fe80::1%eth0', 'fe80:0:0:0'], ['64:ff9b::192.0.2.1', '64:ff9b:0:0'],
  ] as const) assert.equal(networkOf(address), network, address)
})
