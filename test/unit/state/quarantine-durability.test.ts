/**
 * The promise of `keep`, on a disk that fails or loses its power at each call:
 * what was promised is there, whole, also where the database was lost; what
 * was not promised is there whole or not at all.
 */
import assert from 'node:assert/strict'
import { constants } from 'node:fs'
import { describe, test, type TestContext } from 'node:test'
import { QuarantineError } from '../../../src/state/quarantine-files.ts'
import { SimulatedDisk } from '../delivery/simulated-disk.ts'
import { facts, HOUR, NOW, outgoing, quarantineOn, WHOLE, type Ground } from './quarantine-fixture.ts'

const newDisk = (): SimulatedDisk => new SimulatedDisk(['/state'])
const usedDisk = (): SimulatedDisk => new SimulatedDisk(['/state/quarantine'])

/** What a program finds after the power came back, with the database as it was or without it. */
async function rebooted(t: TestContext, disk: SimulatedDisk, before?: Ground): Promise<Ground & { readonly disk: SimulatedDisk }> {
  const next = usedDisk()
  for (const [path, data] of disk.durable()) {
    const file = await next.open(path, constants.O_CREAT | constants.O_EXCL, 0o600)
    await next.write(file, [Buffer.from(data, 'latin1')])
    await next.close(file)
  }
  return { ...quarantineOn(t, { disk: next, ...(before === undefined ? {} : { state: before.state }) }), disk: next }
}

function leftOver(disk: SimulatedDisk): readonly string[] {
  return [...disk.visible().keys()].filter((path) => path.startsWith('/state/'))
}

async function callsOf(t: TestContext, make: () => SimulatedDisk): Promise<readonly string[]> {
  const disk = make()
  await quarantineOn(t, { disk }).quarantine.keep(facts('AAAA'), outgoing())
  return disk.calls
}

for (const [name, make] of [['a first message', newDisk], ['another message', usedDisk]] as const) {
  describe(`${name} in the quarantine`, () => {
    test('is on disk, whole, when it is promised; and known without the database', async (t) => {
      for (const message of [outgoing(), outgoing(undefined, { pieces: 5 })]) {
        const disk = make()
        const ground = quarantineOn(t, { disk })
        assert.deepEqual(await ground.quarantine.keep(facts('AAAA'), message), { status: 'kept' })
        assert.equal(disk.durable().get('/state/quarantine/AAAA.eml'), WHOLE)
        assert.equal(disk.openFiles, 0)
        assert.deepEqual(leftOver(disk).toSorted(), ['/state/quarantine/AAAA.eml', '/state/quarantine/AAAA.json'])
        const after = await rebooted(t, disk)
        await after.quarantine.tidy(NOW)
        assert.deepEqual(after.quarantine.list({}, 10), ground.quarantine.list({}, 10))
        assert.equal(after.quarantine.list({}, 10).length, 1)
        assert.equal(after.quarantine.bytes(), ground.quarantine.bytes())
      }
    })

    test('is whole or nothing, and what was promised is whole, wherever the power goes', async (t) => {
      const calls = await callsOf(t, make)
      assert.ok(calls.includes('sync') && calls.includes('rename'))
      for (let at = 0; at <= calls.length; at++) {
        for (const done of [false, true]) {
          const disk = make()
          disk.fault = { kind: 'crash', at, done }
          const ground = quarantineOn(t, { disk })
          const outcome = await Promise.race([ground.quarantine.keep(facts('AAAA'), outgoing(undefined, { pieces: 20 })), disk.crashed])
          assert.equal(outcome === 'crashed', at < disk.calls.length, `crash at ${at}`)
          for (const before of [ground, undefined]) {
            const after = await rebooted(t, disk, before)
            await after.quarantine.tidy(NOW + 2 * HOUR)
            const [entry, ...others] = after.quarantine.list({}, 10)
            assert.deepEqual(others, [])
            if (outcome !== 'crashed') assert.ok(entry, `what was promised is gone, at ${at}`)
            assert.deepEqual(leftOver(after.disk).toSorted(), entry === undefined ? [] : ['/state/quarantine/AAAA.eml', '/state/quarantine/AAAA.json'])
            if (entry !== undefined) {
              assert.equal(after.disk.visible().get('/state/quarantine/AAAA.eml'), WHOLE)
              assert.deepEqual(entry.recipients, facts('AAAA').recipients)
            }
            assert.deepEqual(after.log.at('error'), [])
          }
        }
      }
    })

    test('is refused, with the cause and without a trace, whatever fails', async (t) => {
      const calls = await callsOf(t, make)
      for (const [at, call] of calls.entries()) {
        const disk = make()
        disk.fault = { kind: 'error', at, code: 'ENOSPC' }
        const { quarantine, log } = quarantineOn(t, { disk })
        const id = `AT${at}`
        await assert.rejects(quarantine.keep(facts(id), outgoing()), (error) => {
          assert.ok(error instanceof QuarantineError, call)
          assert.equal(error.code, 'ENOSPC')
          assert.match(error.message, /ENOSPC/)
          return true
        }, `${call} at ${at}`)
        assert.deepEqual(quarantine.list({}, 10), [])
        assert.deepEqual(leftOver(disk), [])
        assert.equal(disk.openFiles, 0)
        assert.deepEqual(log.entries, [])
        // And the next is kept.
        disk.fault = { kind: 'none' }
        assert.deepEqual(await quarantine.keep(facts(id), outgoing()), { status: 'kept' })
        assert.equal(disk.durable().size, 2)
      }
    })
  })
}

test('a lying disk would be noticed: these tests fail without fsync', async (t) => {
  const disk = newDisk()
  disk.forgetful = true
  await quarantineOn(t, { disk }).quarantine.keep(facts('AAAA'), outgoing())
  assert.equal(disk.durable().size, 0)
})

test('a message that cannot be read from its temporary file is refused', async (t) => {
  const disk = newDisk()
  const { quarantine } = quarantineOn(t, { disk })
  const message = outgoing()
  const broken = {
    ...message, body: {
      ...message.body, async *chunks() {
        yield await Promise.resolve(Buffer.from('Subject'))
        throw Object.assign(new Error('EIO: read'), { code: 'EIO' })
      },
    },
  }
  await assert.rejects(quarantine.keep(facts('AAAA'), broken), /cannot read the message: EIO/)
  assert.deepEqual(leftOver(disk), [])
})

test('without the database nothing is promised and nothing stays', async (t) => {
  const disk = newDisk()
  const { quarantine, database } = quarantineOn(t, { disk })
  database.close()
  await assert.rejects(quarantine.keep(facts('AAAA'), outgoing()), (error) => error instanceof QuarantineError && error.message.includes('the database of the quarantine'))
  assert.deepEqual(leftOver(disk), [])
})

test('a database that fails at the last step takes the promise back', async (t) => {
  const disk = newDisk()
  const { quarantine, database } = quarantineOn(t, { disk })
  database.exec(`CREATE TRIGGER no BEFORE INSERT ON quarantine BEGIN SELECT raise(ABORT, 'made up for the test'); END`)
  await assert.rejects(quarantine.keep(facts('AAAA'), outgoing()), /made up for the test/)
  assert.deepEqual(leftOver(disk), [])
  assert.deepEqual(quarantine.list({}, 10), [])
})

test('who had a message is on disk before it counts, wherever the power goes', async (t) => {
  const [bob, kathe] = facts('AAAA').recipients.map(({ path }) => path.wire)
  const strike = async (disk: SimulatedDisk): Promise<{ ground: Ground; struck: boolean }> => {
    const ground = quarantineOn(t, { disk })
    const running = (async () => {
      await ground.quarantine.keep(facts('AAAA'), outgoing())
      const outcome = await ground.quarantine.hold('AAAA')
      assert.ok(outcome.status === 'held')
      await outcome.hold.strike(outcome.hold.entry.recipients.slice(0, 1))
      return true
    })()
    return { ground, struck: (await Promise.race([running, disk.crashed])) === true }
  }
  const plain = newDisk()
  await strike(plain)
  const kept = (await callsOf(t, newDisk)).length
  assert.ok(plain.calls.length > kept + 4)
  for (let at = kept; at <= plain.calls.length; at++) {
    for (const done of [false, true]) {
      const disk = newDisk()
      disk.fault = { kind: 'crash', at, done }
      const { ground, struck } = await strike(disk)
      for (const before of [ground, undefined]) {
        const after = await rebooted(t, disk, before)
        await after.quarantine.tidy(NOW + 2 * HOUR)
        const found = await after.quarantine.find('AAAA')
        assert.ok(found.status === 'found')
        const left = found.entry.recipients.map(({ path }) => path.wire)
        const had = found.entry.delivered.map(({ path }) => path.wire)
        if (struck) assert.deepEqual({ left, had }, { left: [kathe], had: [bob] })
        else assert.ok(left.length + had.length === 2 && left.includes(kathe!), `at ${at}`)
      }
    }
  }
})

test('a strike that cannot be written rejects, and nobody was struck off', async (t) => {
  const calls = ['open', 'write', 'sync', 'close', 'rename', 'open', 'sync', 'close']
  for (const [skip, call] of calls.entries()) {
    const disk = newDisk()
    const { quarantine } = quarantineOn(t, { disk })
    await quarantine.keep(facts('AAAA'), outgoing())
    const outcome = await quarantine.hold('AAAA')
    assert.ok(outcome.status === 'held')
    assert.deepEqual(outcome.hold.entry.recipients.length, 2)
    disk.fault = { kind: 'error', at: disk.calls.length + skip, code: 'EIO' }
    await assert.rejects(outcome.hold.strike(outcome.hold.entry.recipients.slice(0, 1)), (error) => error instanceof QuarantineError && error.code === 'EIO', call)
    assert.equal(disk.calls[disk.fault.at], call)
    assert.equal(outcome.hold.entry.recipients.length, 2)
    assert.deepEqual(leftOver(disk).toSorted(), ['/state/quarantine/AAAA.eml', '/state/quarantine/AAAA.json'])
    assert.equal(disk.openFiles, 0)
  }
})

test('what was removed is gone for good, or is there whole, wherever the power goes', async (t) => {
  for (let skip = 0; skip < 6; skip++) {
    const disk = newDisk()
    const ground = quarantineOn(t, { disk })
    await ground.quarantine.keep(facts('AAAA'), outgoing())
    disk.calls = []
    // read, unlink, unlink, open, sync, close
    disk.fault = { kind: 'crash', at: skip, done: true }
    const outcome = await Promise.race([ground.quarantine.remove('AAAA'), disk.crashed])
    for (const before of [ground, undefined]) {
      const after = await rebooted(t, disk, before)
      await after.quarantine.tidy(NOW + 2 * HOUR)
      const there = after.quarantine.list({}, 10).length === 1
      if (outcome !== 'crashed') assert.equal(there, false)
      if (there) assert.equal(disk.durable().size, 2)
      else assert.equal([...disk.durable().keys()].filter((path) => path.endsWith('.json')).length, 0)
    }
  }
})

test('an entry that can be removed only by half is no entry any more, and its rest is swept', async (t) => {
  const disk = newDisk()
  const { quarantine, log } = quarantineOn(t, { disk })
  await quarantine.keep(facts('AAAA'), outgoing())
  // read, unlink, unlink
  disk.fault = { kind: 'error', at: disk.calls.length + 2, code: 'EIO' }
  await assert.rejects(quarantine.remove('AAAA'), (error) => error instanceof QuarantineError && error.code === 'EIO' && error.path.endsWith('AAAA.eml'))
  assert.deepEqual(leftOver(disk), ['/state/quarantine/AAAA.eml'])
  assert.deepEqual(await quarantine.find('AAAA'), { status: 'none' })
  await quarantine.tidy(NOW + 2 * HOUR)
  assert.deepEqual(leftOver(disk), [])
  assert.deepEqual(quarantine.list({}, 10), [])
  assert.deepEqual(log.at('error'), [])
})
