/** Descriptors are few: how many mailboxes are open at once, whoever delivers. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MOST_OPEN, Turns } from '../../../src/delivery/maildir-turns.ts'
import { describeReply } from '../../../src/smtp/reply.ts'
import { CLIENT, localHop, outgoing, path, ROOT, send, spooled, stored } from './local-fixture.ts'
import { failure, SimulatedDisk } from './simulated-disk.ts'

const BODY = 'Subject: a\r\n\r\nb\r\n'
const TO = Array.from({ length: 250 }, (_, i) => `user${i}@example.org`)
/** each directory from /mail down to tmp, new and cur, and the file */
const BOUND = MOST_OPEN * 8

/** As root for somebody else: the way that costs most descriptors. */
function guarded(disk: SimulatedDisk) {
  return localHop({ uid: 5000, gid: 5001 }, { files: disk, process: ROOT }).hop
}

describe('250 mailboxes as root for others', () => {
  for (const [name, body] of [['in memory', () => stored(BODY)], ['from a temporary file', () => spooled(BODY, 7)]] as const) {
    test(`of one message ${name}: all are stored, and synced, with few open at once`, async () => {
      const disk = new SimulatedDisk()
      const hop = guarded(disk)
      const { data } = await send(hop, TO, outgoing(body()))
      const durable = disk.durable()
      assert.equal(data, '250 2.0.0 Delivered')
      assert.equal([...durable.keys()].filter((file) => file.includes('/new/')).length, TO.length)
      await hop.close()
      assert.ok(disk.mostOpen <= BOUND, String(disk.mostOpen))
      assert.equal(disk.openFiles, 0)
    })
  }

  test('of 250 messages at the same time, by two hops', async () => {
    const disk = new SimulatedDisk()
    const hops = [guarded(disk), localHop({ uid: 5000, gid: 5001, name: 'other' }, { files: disk, process: ROOT, random: 'def' }).hop]
    const replies = await Promise.all(TO.map((to, i) => send(hops[i % 2] ?? assert.fail(), [to], outgoing(stored(BODY)))))
    assert.ok(replies.every(({ data }) => data === '250 2.0.0 Delivered'))
    assert.equal(disk.durable().size, TO.length)
    for (const hop of hops) await hop.close()
    assert.ok(disk.mostOpen <= BOUND, String(disk.mostOpen))
  })

  test('all or none, wherever it fails', async () => {
    // One of the last mailboxes, in each of the three phases: written, renamed, synced.
    for (const [call, number] of [['write', 245], ['rename', 245], ['sync', -1]] as const) {
      const disk = new SimulatedDisk(TO.flatMap((to) => ['cur', 'new', 'tmp'].map((part) => `/mail/example.org/${to.slice(0, -12)}/${part}`)))
      let seen = 0
      const files = new Proxy(disk, {
        get: (target, key) => {
          const value: unknown = Reflect.get(target, key, target)
          if (typeof value !== 'function') return value
          return (...given: unknown[]): unknown => {
            // The last 250 calls of sync are those of the folders.
            if (key === call && ++seen === (number < 0 ? 2 * TO.length - 4 : number)) return Promise.reject(failure('EIO', call))
            return Reflect.apply(value, target, given)
          }
        },
      })
      const { hop, log } = localHop({ uid: 5000, gid: 5001 }, { files, process: ROOT })
      assert.equal((await send(hop, TO, outgoing(stored(BODY)))).data, '451 4.3.0 Mailboxes are not available at the moment, try again later', call)
      await hop.close()
      assert.deepEqual([...disk.visible().keys()], [], call)
      assert.equal(disk.openFiles, 0, call)
      assert.ok(disk.mostOpen <= BOUND, `${call}: ${disk.mostOpen}`)
      assert.ok(log.has('error', '"code":"EIO"'), call)
    }
  })

  test('one that is aborted while it waits for its turn writes nothing', async () => {
    const disk = new SimulatedDisk()
    const hop = guarded(disk)
    const first = send(hop, TO, outgoing(stored(BODY)))
    const waiting = hop.begin(CLIENT)
    await waiting.mail(path('a@b.example'))
    await waiting.rcpt(path('late@example.org'))
    const late = waiting.data(outgoing(stored(BODY)))
    waiting.abort()
    assert.match((await late).map(describeReply).join(), /^451 4\.3\.2 /)
    assert.equal((await first).data, '250 2.0.0 Delivered')
    assert.ok([...disk.visible().keys()].every((file) => !file.includes('late')))
    await hop.close()
  })
})

describe('turns', () => {
  test('come in order: a large one is not overtaken for ever', async () => {
    const turns = new Turns(4)
    const order: string[] = []
    const ends: (() => void)[] = []
    const hold = (name: string, count: number) => turns.hold(count, () => {
      order.push(name)
      return new Promise<void>((resolve) => ends.push(resolve))
    })
    const all = [hold('a', 3), hold('b', 4), hold('c', 1), hold('d', 1)]
    const settle = () => new Promise(setImmediate)
    await settle()
    assert.deepEqual(order, ['a'])
    ends.shift()?.()
    await settle()
    assert.deepEqual(order, ['a', 'b'])
    ends.shift()?.()
    await settle()
    assert.deepEqual(order, ['a', 'b', 'c', 'd'])
    for (const end of ends) end()
    await Promise.all(all)
  })

  test('a failure gives the place back', async () => {
    const turns = new Turns(1)
    await assert.rejects(turns.hold(1, () => Promise.reject(new Error('x'))), /x/)
    assert.equal(await turns.hold(1, () => Promise.resolve('next')), 'next')
  })
})
