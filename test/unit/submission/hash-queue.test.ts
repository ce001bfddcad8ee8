/** Who may have passwords worked on, and how much of it: nobody keeps the others from logging in, neither by leaving nor by coming often. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FairQueue } from '../../../src/submission/fair-queue.ts'
import type { Verified, WorkTurn } from '../../../src/submission/hash-thread.ts'
import type { PasswordWork } from '../../../src/submission/password-work.ts'
import type { ScramSecret } from '../../../src/submission/password-hash.ts'
import { DEFAULT_GUARD } from '../../../src/submission/settings.ts'
import { ScramClient } from '../../support/scram-client.ts'
import { begin, facts, ground, HASHES, logIn, outcome, plain, PLAIN_TLS, TLS } from './authenticator-fixture.ts'

test('lanes have their turns one after the other, each holds few, and the longest makes room', () => {
  const queue = new FairQueue<string>({ most: 5, mostOfLane: 3 })
  for (const item of ['a1', 'a2', 'a3']) assert.equal(queue.push('a', item), undefined)
  assert.equal(queue.push('a', 'a4'), 'a4')
  assert.equal(queue.push('b', 'b1'), undefined)
  assert.equal(queue.push('c', 'c1'), undefined)
  assert.equal(queue.push('d', 'd1'), 'a3')
  // Nobody has two more than it would have.
  assert.equal(queue.push('d', 'd2'), 'd2')
  assert.equal(queue.size, 5)
  assert.deepEqual(Array.from({ length: 6 }, () => queue.shift()), ['a1', 'b1', 'c1', 'd1', 'a2', undefined])
  assert.equal(queue.size, 0)
})

interface Held extends PasswordWork {
  readonly turns: WorkTurn[]
  /** Ends the oldest piece of work. */
  settle(verified: Verified): void
}

function held(): Held {
  const waiting: ((verified: Verified) => void)[] = []
  const turns: WorkTurn[] = []
  const secret: ScramSecret = { scheme: 'scram-sha-256', iterations: 4096, salt: Buffer.alloc(16), storedKey: Buffer.alloc(32), serverKey: Buffer.alloc(32) }
  const wait = (turn: WorkTurn | undefined): Promise<Verified> => {
    assert.ok(turn !== undefined)
    turns.push(turn)
    return new Promise((resolve) => waiting.push(resolve))
  }
  return {
    turns,
    settle: (verified) => waiting.shift()?.(verified),
    verify: (_hash, _password, turn) => wait(turn),
    derive: async (_password, _how, turn) => (await wait(turn) === 'busy' ? 'busy' : secret),
    close: () => Promise.resolve(),
  }
}

async function turned(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

test('who sends a password and leaves has failed, and keeps its place until the work on it has ended', async () => {
  const work = held()
  const g = await ground({ file: `anna:${HASHES.argon2}\n`, work, guard: { ...DEFAULT_GUARD, perAddress: 3 } })
  const steps: Promise<string>[] = []
  for (let i = 0; i < 3; i++) {
    const exchange = begin(g, 'PLAIN')
    steps.push(exchange.step(plain(`nobody${i}`, 'x')).then(outcome))
    await turned()
    exchange.abort()
  }
  // The second had the first's failure and its place against it, and was let in no more.
  assert.equal(g.log.lines.filter((line) => JSON.stringify(line).includes('login failed')).length, 2)
  assert.equal(work.turns.length, 2)
  assert.deepEqual(work.turns.map((turn) => [turn.lane, turn.wanted()]), [['192.0.2.0/24', false], ['192.0.2.0/24', false]])
  const another = begin(g, 'PLAIN').step(plain('anna', 'secret')).then(outcome)
  assert.equal(await another, '454')
  work.settle('busy')
  work.settle('mismatch')
  assert.deepEqual(await Promise.all(steps), ['454', '454', '454'])
  // Two have failed; the places are free again.
  const last = begin(g, 'PLAIN').step(plain('anna', 'secret')).then(outcome)
  await turned()
  work.settle('match')
  assert.equal(await last, 'anna by PLAIN')
})

test('one that has waited while its address was locked is not worked on any more', async () => {
  const work = held()
  const g = await ground({ file: `anna:${HASHES.argon2}\n`, work, guard: { ...DEFAULT_GUARD, perAddress: 2 } })
  const steps = Array.from({ length: 4 }, () => logIn(g, 'anna', { password: 'guess' }))
  await turned()
  assert.equal(work.turns.length, 4)
  work.settle('mismatch')
  work.settle('mismatch')
  await turned()
  assert.equal(work.turns[2]?.wanted(), false)
  work.settle('busy')
  work.settle('busy')
  assert.deepEqual(await Promise.all(steps), ['535', '535', '454', '454'])
  assert.ok(!g.log.has('warn', 'login could not be checked'))
})

test('whoever is locked out costs no derivation either, and a dialogue that is left ends its own', async () => {
  const work = held()
  const g = await ground({ file: `emil:${HASHES.clear}\n`, work, mechanisms: ['SCRAM-SHA-256', 'PLAIN'], guard: { ...DEFAULT_GUARD, perAddress: 1 } })
  const scram = (address: string) => begin(g, 'SCRAM-SHA-256', facts(PLAIN_TLS, address))
  const first = new ScramClient({ user: 'emil', password: 'x' }).first
  const left = scram('198.51.100.1')
  const leaving = left.step(first)
  await turned()
  assert.equal(work.turns[0]?.wanted(), true)
  left.abort()
  assert.equal(work.turns[0].wanted(), false)
  work.settle('busy')
  assert.equal(outcome(await leaving), '454')
  const failed = logIn(g, 'nobody', { password: 'x' })
  await turned()
  work.settle('mismatch')
  assert.equal(await failed, '535')
  assert.equal(outcome(await scram('192.0.2.1').step(first)), '454')
  assert.equal(work.turns.length, 2)
})

test('dialogues without a proof lock nobody out of an account, and are bounded for each address', async () => {
  const g = await ground({ file: `clara:${HASHES.scram}\n`, mechanisms: ['SCRAM-SHA-256'] })
  try {
    const first = new ScramClient({ user: 'clara', password: 'x' }).first
    for (let i = 0; i < 105; i++) assert.match(outcome(await begin(g, 'SCRAM-SHA-256', facts(PLAIN_TLS, `10.5.${i}.1`)).step(first)), /^\? r=/)
    const client = new ScramClient({ user: 'clara', password: 'secret' })
    const owner = begin(g, 'SCRAM-SHA-256', facts(PLAIN_TLS, '10.200.1.1'))
    const step = await owner.step(client.first)
    assert.ok(step.status === 'challenge')
    assert.match(outcome(await owner.step(client.final(step.data.toString()))), /^\? v=/)
    const many = await Promise.all(Array.from({ length: 60 }, () => begin(g, 'SCRAM-SHA-256', facts(TLS, '203.0.113.1')).step(first)))
    assert.equal(many.filter(({ status }) => status === 'challenge').length, 50)
    assert.ok(!g.log.has('info', 'login failed'))
  } finally {
    await g.close()
  }
})
