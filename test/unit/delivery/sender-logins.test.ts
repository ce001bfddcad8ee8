/** Whose login a message goes out with. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SenderLogins } from '../../../src/delivery/sender-logins.ts'
import { parsePath } from '../../../src/smtp/address.ts'
import type { EnvelopePath } from '../../../src/smtp/envelope.ts'
import { ScriptedHop, stage } from './scripted-hop.ts'

const directory = mkdtempSync(join(tmpdir(), 'postern-senders-'))
after(() => rmSync(directory, { recursive: true }))

function from(text: string): EnvelopePath {
  const result = parsePath(text, 0)
  if (result.status === 'malformed') throw new Error(result.why)
  return { path: result.path, parameters: [] }
}

test('the address, then its domain, then the hop\'s own; the first of two counts', () => {
  const logins = new SenderLogins([['anna@a.example', 'anna'], ['@a.example', 'a'], ['@A.example', 'late'], ['Carl@c.example', 'carl']], 'own')
  for (const [sender, expected] of [
    ['<anna@a.example>', 'anna'], ['<ANNA@A.EXAMPLE>', 'anna'], ['<"anna"@a.example>', 'anna'], ['<bert@a.example>', 'a'], ['<anna+x@a.example>', 'a'],
    ['<x@sub.a.example>', 'own'], ['<carl@c.example>', 'carl'], ['<x@c.example>', 'own'], ['<>', 'own'], ['<postmaster>', 'own'],
  ] as const) assert.equal(logins.of(from(sender)), expected, sender)
})

test('each login has connections of its own, and a wrong one costs nobody else', async (t) => {
  const login = (user: string, password = user) => {
    const passwordFile = join(directory, `${user}.pw`)
    writeFileSync(passwordFile, password)
    chmodSync(passwordFile, 0o600)
    return { user, passwordFile }
  }
  const other = new ScriptedHop([async (peer) => {
    await peer.hello('AUTH PLAIN')
    await peer.serve((line) => (line.startsWith('AUTH') ? '235 ok' : undefined))
  }])
  const otherAddress = await other.listen('tcp')
  t.after(() => other.stop())
  const users: string[] = []
  const s = await stage(t, async (peer) => {
    await peer.hello('AUTH PLAIN')
    await peer.serve((line) => {
      if (!line.startsWith('AUTH')) return undefined
      const [, user = '', password] = Buffer.from(line.split(' ')[2] ?? '', 'base64').toString().split('\0')
      users.push(user)
      return user === password ? '235 ok' : '535 no'
    })
  }, { login: login('own'), senderLogins: [{ sender: 'anna@a.example', ...login('anna') }, { sender: '@a.example', ...login('anna') }, { sender: '@b.example', ...login('bert', 'wrong') }, { sender: '@c.example', ...login('carl'), addresses: [otherAddress] }] })
  const mail = async (sender: string): Promise<number> => {
    const transaction = s.begin()
    const reply = await transaction.mail(from(sender))
    transaction.abort()
    return reply.status
  }
  assert.deepEqual([await mail('<anna@a.example>'), await mail('<x@b.example>'), await mail('<x@d.example>'), await mail('<x@c.example>'), await mail('<x@a.example>'), await mail('<>'), await mail('<x@b.example>')], [250, 451, 250, 250, 250, 250, 451])
  // The two of a.example are one login, and the connection of the first was not free yet or is used again.
  assert.deepEqual([...new Set(users)], ['anna', 'bert', 'own'])
  assert.equal(users.filter((user) => user === 'bert').length, 1)
  assert.equal(other.peers.length, 1)
  await s.relay.close()
})
