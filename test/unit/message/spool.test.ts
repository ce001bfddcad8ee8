import { test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSpool } from '../../../src/message/spool.ts'
import type { StoredMessage } from '../../../src/message/message.ts'

async function text(message: StoredMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const piece of message.chunks()) parts.push(piece)
  return Buffer.concat(parts).toString('latin1')
}

function directory(t: { after(fn: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'postern-spool-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('a small message stays in memory and can be read twice', async (t) => {
  const spool = createSpool({ directory: directory(t), memoryBytes: 100 })
  assert.equal(spool.append(Buffer.from('hello ')), undefined)
  assert.equal(spool.append(Buffer.from('world')), undefined)
  const message = await spool.finish()
  assert.equal(message.size, 11)
  assert.equal(message.memory?.length, 2)
  assert.equal(await text(message), 'hello world')
  assert.equal(await text(message), 'hello world')
})

test('a large message goes to a file without a name, whole and in order', async (t) => {
  const path = directory(t)
  const spool = createSpool({ directory: join(path, 'made', 'here'), memoryBytes: 1000 })
  let expected = ''
  for (let i = 0; i < 3000; i++) {
    const line = `line ${i} ${'x'.repeat(i % 97)}\r\n`
    expected += line
    await spool.append(Buffer.from(line))
  }
  const message = await spool.finish()
  assert.deepEqual(readdirSync(join(path, 'made', 'here')), [])
  assert.equal(message.memory, null)
  assert.equal(message.size, expected.length)
  assert.equal(await text(message), expected)
  assert.equal(await text(message), expected)
  message.discard()
  message.discard()
  await assert.rejects(text(message), /discarded/)
})

test('a message that grows past the bound while the caller does not wait is still whole', async (t) => {
  const spool = createSpool({ directory: directory(t), memoryBytes: 10 })
  const waits = ['0123456789a', 'bcdef', 'g'.repeat(200_000), 'h'].map((s) => spool.append(Buffer.from(s)))
  for (const wait of waits) await wait
  assert.equal(await text(await spool.finish()), '0123456789abcdef' + 'g'.repeat(200_000) + 'h')
})

test('a directory that cannot be made rejects, and stays failed', async (t) => {
  const path = directory(t)
  writeFileSync(join(path, 'file'), '')
  const spool = createSpool({ directory: join(path, 'file', 'sub'), memoryBytes: 4 })
  await assert.rejects(async () => spool.append(Buffer.from('12345')), /ENOTDIR|EEXIST/)
  await assert.rejects(async () => spool.append(Buffer.from('6')), /ENOTDIR|EEXIST/)
  await assert.rejects(async () => spool.finish(), /ENOTDIR|EEXIST/)
})

test('discard while a write is under way closes the file after it', async (t) => {
  const spool = createSpool({ directory: directory(t), memoryBytes: 4 })
  const wait = spool.append(Buffer.from('12345'))
  spool.discard()
  spool.discard()
  await wait
})
