/** However a message is cut, it costs its bytes and not its pieces. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createSpool } from '../../../src/message/spool.ts'
import { Random } from '../../support/fuzzing.ts'

const directory = mkdtempSync(join(tmpdir(), 'postern-pieces-'))
after(() => rmSync(directory, { recursive: true }))

async function bytesOf(message: { chunks(): AsyncIterable<Buffer> }): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const piece of message.chunks()) all.push(Buffer.from(piece))
  return Buffer.concat(all)
}

test('a message that comes byte by byte lies in few pieces', async () => {
  const spool = createSpool({ directory, memoryBytes: 256 * 1024 })
  const whole = Buffer.from('0123456789'.repeat(20_000))
  for (let at = 0; at < whole.length; at++) assert.equal(spool.append(whole.subarray(at, at + 1)), undefined)
  const message = await spool.finish()
  assert.ok((message.memory?.length ?? Infinity) <= 20, `${message.memory?.length} pieces`)
  assert.deepEqual(await bytesOf(message), whole)
  message.discard()
})

test('a small message in one piece is not copied', async () => {
  const spool = createSpool({ directory, memoryBytes: 256 * 1024 })
  const piece = Buffer.from('Subject: x\r\n\r\nx\r\n')
  void spool.append(piece)
  assert.equal((await spool.finish()).memory?.[0], piece)
})

test('small and large pieces keep their order, in memory and in a file', async () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = new Random(seed)
    const spool = createSpool({ directory, memoryBytes: random.pick([0, 5000, 1_000_000]) })
    const given: Buffer[] = []
    for (let i = random.below(200); i > 0; i--) {
      const piece = Buffer.alloc(random.pick([0, 1, 10, 1023, 1024, 20_000]), random.below(256))
      given.push(piece)
      await spool.append(piece)
    }
    const message = await spool.finish()
    assert.equal(message.size, Buffer.concat(given).length)
    assert.deepEqual(await bytesOf(message), Buffer.concat(given))
    message.discard()
  }
})
