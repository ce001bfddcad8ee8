/** Keys remembered by the text of their record: what is read anew, and what is not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyMemory } from '../../../src/auth/key-memory.ts'
import type { MailauthResolve } from '../../../src/auth/mailauth-resolver.ts'

function stage() {
  const memory = new KeyMemory()
  const texts = new Map<string, string>()
  const asked: string[] = []
  const read: string[] = []
  const resolve: MailauthResolve = (name) => {
    asked.push(name)
    const text = texts.get(name)
    return text === undefined ? Promise.reject(new Error(`no ${name}`)) : Promise.resolve([text.match(/.{1,255}/g) ?? []])
  }
  /** as for a new message, which has a cache of its own */
  const get = (name: string, options = { strict: true, hashAlgo: 'sha256' }) => memory.remembering({
    async get(_type, asks) {
      read.push(asks)
      const text = (await resolve(asks, 'TXT') as string[][]).flat().join('')
      if (text.includes('bad')) throw new Error('a bad key')
      return { text }
    },
  }, resolve).get('DKIM', name, 1024, options)
  return { texts, asked, read, get }
}

test('a key is read once while its record is the same, and the record is asked for each time', async () => {
  const { texts, asked, read, get } = stage()
  texts.set('s1.example', 'p=one')
  const first = await get('s1.example')
  assert.equal(await get('s1.example'), first)
  assert.deepEqual(read, ['s1.example'])
  assert.deepEqual(asked, ['s1.example', 's1.example', 's1.example'])
  texts.set('s1.example', 'p=two')
  assert.deepEqual(await get('s1.example'), { text: 'p=two' })
  texts.delete('s1.example')
  await assert.rejects(get('s1.example'), /no s1\.example/)
})

test('the same record under other conditions is another key', async () => {
  const { texts, read, get } = stage()
  texts.set('s1.example', 'p=one')
  await get('s1.example')
  await get('s1.example', { strict: true, hashAlgo: 'sha1' })
  await get('s1.example', { strict: false, hashAlgo: 'sha256' })
  assert.equal(read.length, 3)
})

test('what fails, what is too long and what is no ASCII name is read each time', async () => {
  const { texts, read, get } = stage()
  texts.set('s1.example', 'bad')
  texts.set('s2.example', `p=${'A'.repeat(2000)}`)
  texts.set('s3.exämple', 'p=one')
  for (let i = 0; i < 2; i++) {
    await assert.rejects(get('s1.example'), /a bad key/)
    await get('s2.example')
    await get('s3.exämple')
  }
  assert.equal(read.length, 6)
})

test('a thousand keys are remembered, and then it begins anew', async () => {
  const { texts, read, get } = stage()
  for (let i = 0; i < 1001; i++) {
    texts.set(`s${i}.example`, `p=${i}`)
    await get(`s${i}.example`)
  }
  await get('s1000.example')
  assert.equal(read.length, 1001)
  await get('s0.example')
  assert.equal(read.length, 1002)
})
