import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { OutgoingMessage } from '../../../src/message/message.ts'
import { describeReply } from '../../../src/smtp/reply.ts'
import { CLIENT, localHop, outgoing, path, ROOT, send, spooled, stored } from './local-fixture.ts'
import { SimulatedDisk } from './simulated-disk.ts'

const NOTHING: Map<string, string> = new Map()
const BODY = 'Subject: a\r\n\r\nline one\r\n\r\n.line two\r\n'
const STORED = 'Subject: a\n\nline one\n\n.line two\n'
const TO = ['anna@example.org', 'bert@example.com', 'carl@example.org']

/** One message to three mailboxes; the reply, or `crashed`. */
async function deliver(disk: SimulatedDisk, options: { message?: OutgoingMessage; asRoot?: boolean } = {}) {
  const owner = options.asRoot === true ? { uid: 5000, gid: 5001 } : {}
  const { hop, log } = localHop(owner, { files: disk, ...(options.asRoot === true ? { process: ROOT } : {}) })
  const transaction = hop.begin(CLIENT)
  await transaction.mail(path('sender@client.example'))
  for (const one of TO) assert.equal((await transaction.rcpt(path(one))).status, 250)
  let durableAtReply: Map<string, string> | undefined
  const running = transaction.data(options.message ?? outgoing(stored(BODY))).then((replies) => {
    durableAtReply = disk.durable()
    return replies.map(describeReply)
  })
  const outcome = await Promise.race([running, disk.crashed])
  if (outcome !== 'crashed') await Promise.race([hop.close(), disk.crashed])
  return { outcome, durableAtReply, log }
}

/** The text in each recipient's `new`. */
function delivered(files: Map<string, string>): Map<string, string> {
  const found = new Map<string, string>()
  for (const [file, text] of files) {
    const match = /^\/mail\/([^/]+)\/([^/]+)\/new\//.exec(file)
    if (match !== null) found.set(`${match[2]}@${match[1]}`, text)
  }
  return found
}

function assertComplete(files: Map<string, string> | undefined): void {
  const found = delivered(files ?? NOTHING)
  assert.deepEqual([...found.keys()].sort(), [...TO].sort())
  for (const [to, text] of found) assert.equal(text, `Return-Path: <sender@client.example>\nDelivered-To: ${to}\n${STORED}`)
}

async function callsOf(setup: () => SimulatedDisk, options: { message?: OutgoingMessage; asRoot?: boolean }): Promise<readonly string[]> {
  const disk = setup()
  await deliver(disk, options)
  return disk.calls
}

const kinds = [
  { name: 'in memory', options: () => ({}) },
  { name: 'from a temporary file', options: () => ({ message: outgoing(spooled(BODY, 7)) }) },
  { name: 'as root for others', options: () => ({ asRoot: true }) },
]
const disks = [
  { name: 'into new Maildirs', setup: () => new SimulatedDisk() },
  {
    name: 'into Maildirs that are there',
    setup: () => new SimulatedDisk(['anna@example.org', 'bert@example.com', 'carl@example.org'].flatMap((to) => {
      const [local, domain] = to.split('@')
      return ['cur', 'new', 'tmp'].map((part) => `/mail/${domain}/${local}/${part}`)
    })),
  },
]

for (const kind of kinds) {
  for (const { name, setup } of disks) {
    describe(`a message ${kind.name}, ${name}`, () => {
      test('is on disk for every recipient when 250 is given', async () => {
        const disk = setup()
        const { outcome, durableAtReply } = await deliver(disk, kind.options())
        assert.deepEqual(outcome, ['250 2.0.0 Delivered'])
        assertComplete(durableAtReply)
        assertComplete(disk.visible())
        assert.equal(disk.openFiles, 0)
      })

      test('is not answered before it is on disk, wherever the power goes', async () => {
        const calls = await callsOf(setup, kind.options())
        let answered = 0
        for (let at = 0; at < calls.length; at++) {
          for (const done of [false, true]) {
            const disk = setup()
            disk.fault = { kind: 'crash', at, done }
            const { outcome, durableAtReply } = await deliver(disk, kind.options())
            if (durableAtReply === undefined) assert.equal(outcome, 'crashed')
            else {
              answered++
              assertComplete(disk.durable())
              assertComplete(durableAtReply)
            }
            assert.ok(outcome === 'crashed' || outcome[0] === '250 2.0.0 Delivered', `${calls[at] ?? ''} ${String(outcome)}`)
          }
        }
        // The sweeping of tmp comes after the reply: some crashes hit there.
        assert.ok(answered > 0)
      })

      test('leaves nothing behind, wherever an error comes', async () => {
        const calls = await callsOf(setup, kind.options())
        for (let at = 0; at < calls.length; at++) {
          for (const code of ['EIO', 'ENOSPC', 'EDQUOT', 'EACCES']) {
            const disk = setup()
            disk.fault = { kind: 'error', at, code }
            const { outcome, log, durableAtReply } = await deliver(disk, kind.options())
            const place = `${calls[at] ?? ''} (${at}), ${code}`
            assert.equal(disk.openFiles, 0, place)
            if (outcome[0] === '250 2.0.0 Delivered') {
              // A failure after the message was safe: closing, sweeping. It is told.
              assertComplete(durableAtReply)
              assert.ok(log.has('warn', code), place)
              continue
            }
            assert.deepEqual(outcome, [code === 'ENOSPC' || code === 'EDQUOT' ? '452 4.3.1 No space for the message, try again later' : '451 4.3.0 Mailboxes are not available at the moment, try again later'], place)
            assert.equal(disk.visible().size, 0, place)
            assert.ok(log.has('error', `"code":"${code}"`), place)
            assert.ok(log.lines.some((line) => line.level === 'error' && String(line.facts['path']).startsWith('/mail')), place)
          }
        }
      })
    })
  }
}

test('the simulated disk notices a delivery that does not sync', async () => {
  const disk = new SimulatedDisk()
  disk.forgetful = true
  const { durableAtReply } = await deliver(disk)
  assert.equal(delivered(durableAtReply ?? NOTHING).size, 0)
})

test('a message that is sent again after a crash arrives', async () => {
  const calls = await callsOf(() => new SimulatedDisk(), {})
  for (let at = 0; at < calls.length; at++) {
    const disk = new SimulatedDisk()
    disk.fault = { kind: 'crash', at, done: true }
    const first = await deliver(disk)
    if (first.durableAtReply !== undefined) continue
    disk.fault = { kind: 'none' }
    const { hop } = localHop({}, { files: disk, random: 'second' })
    const again = await send(hop, TO, outgoing(stored(BODY)))
    assert.equal(again.data, '250 2.0.0 Delivered')
    assertComplete(disk.durable())
  }
})

test('each file is synced before it is renamed, and its folder after', async () => {
  const disk = new SimulatedDisk(['/mail/example.org/anna/new', '/mail/example.org/anna/tmp'])
  const { hop } = localHop({}, { files: disk })
  await send(hop, ['anna@example.org'], outgoing(stored(BODY)))
  assert.deepEqual(disk.calls.slice(0, 9), ['open', 'chmod', 'write', 'sync', 'close', 'rename', 'open', 'sync', 'close'])
})

test('the name has the spec\'s parts and the file\'s size', async () => {
  const disk = new SimulatedDisk()
  const { hop } = localHop({}, { files: disk, hostname: 'mx/1:2.example' })
  await send(hop, ['anna@example.org'], outgoing(stored(BODY), 'Received: from x\r\n'))
  const [entry] = [...disk.visible()]
  const text = entry?.[1] ?? ''
  assert.equal(entry?.[0], `/mail/example.org/anna/new/1700000000.M000000P${process.pid}Q1Rabc.mx\\0571\\0722.example,S=${text.length}`)
  assert.equal(text, `Return-Path: <sender@client.example>\nDelivered-To: anna@example.org\nReceived: from x\n${STORED}`)
})

test('two deliveries at the same moment have different names', async () => {
  const disk = new SimulatedDisk()
  const { hop } = localHop({}, { files: disk })
  const all = await Promise.all(Array.from({ length: 20 }, () => send(hop, ['anna@example.org'], outgoing(stored(BODY)))))
  assert.ok(all.every((one) => one.data === '250 2.0.0 Delivered'))
  assert.equal(disk.visible().size, 20)
})

test('a name that is taken is not overwritten: another is used', async () => {
  const disk = new SimulatedDisk(['/mail/example.org/anna/new', '/mail/example.org/anna/tmp'])
  const taken = `/mail/example.org/anna/tmp/1700000000.M000000P${process.pid}Q1Rabc.mx.example.org`
  disk.put(taken, 'another one\'s')
  const { hop } = localHop({}, { files: disk })
  assert.equal((await send(hop, ['anna@example.org'], outgoing(stored(BODY)))).data, '250 2.0.0 Delivered')
  assert.equal(disk.visible().get(taken), 'another one\'s')
  assert.ok([...disk.visible().keys()].some((file) => file.includes('/new/') && file.includes('Q2')))
})

test('owner and mode of files and folders are those of the settings', async () => {
  const disk = new SimulatedDisk()
  const { hop } = localHop({ uid: 5000, gid: 5001, mode: 0o640 }, { files: disk, process: ROOT })
  await send(hop, ['anna@example.org'], outgoing(stored(BODY)))
  const [file = ''] = [...disk.visible().keys()]
  assert.deepEqual(disk.attributes(file), { mode: 0o640, uid: 5000, gid: 5001 })
  for (const folder of ['/mail/example.org', '/mail/example.org/anna', '/mail/example.org/anna/cur', '/mail/example.org/anna/new', '/mail/example.org/anna/tmp']) {
    assert.deepEqual(disk.attributes(folder), { mode: 0o750, uid: 5000, gid: 5001 }, folder)
  }
  assert.deepEqual(disk.attributes('/mail'), { mode: 0, uid: -1, gid: -1 })
})

test('as root the users file says whose mailbox it is; folders above stay passable', async () => {
  const disk = new SimulatedDisk(['/mail', '/etc'])
  disk.put('/etc/users', 'anna::7001:7002::::\n')
  const { hop } = localHop({ users: '/etc/users', uid: 5000, gid: 5000 }, { files: disk, process: ROOT })
  await send(hop, ['anna@example.org'], outgoing(stored(BODY)))
  assert.deepEqual(disk.attributes('/mail/example.org/anna'), { mode: 0o700, uid: 7001, gid: 7002 })
  assert.deepEqual(disk.attributes('/mail/example.org'), { mode: 0o711, uid: 5000, gid: 5000 })
})

test('without root the uid and gid of the users file are not used', async () => {
  const disk = new SimulatedDisk(['/mail', '/etc'])
  disk.put('/etc/users', 'anna::7001:7002::::\n')
  const { hop } = localHop({ users: '/etc/users' }, { files: disk })
  assert.equal((await send(hop, ['anna@example.org'], outgoing(stored(BODY)))).data, '250 2.0.0 Delivered')
  assert.equal(disk.calls.includes('chown'), false)
})

test('the folder above the first placeholder is never made', async () => {
  const disk = new SimulatedDisk(['/'])
  const { hop, log } = localHop({}, { files: disk })
  assert.equal((await send(hop, ['anna@example.org'], outgoing(stored(BODY)))).data, '451 4.3.0 Mailboxes are not available at the moment, try again later')
  assert.equal(disk.calls.includes('mkdir'), false)
  assert.ok(log.has('error', 'cannot open the folder above the mailboxes'))
})

test('a Maildir without new is completed', async () => {
  const disk = new SimulatedDisk(['/mail/example.org/anna/tmp'])
  const { hop } = localHop({}, { files: disk })
  assert.equal((await send(hop, ['anna@example.org'], outgoing(stored(BODY)))).data, '250 2.0.0 Delivered')
  assert.equal(delivered(disk.durable()).size, 1)
})

test('a message for many mailboxes reads its file once for sixteen', async () => {
  const disk = new SimulatedDisk()
  let readings = 0
  const body = spooled(BODY, 5)
  const counted = { ...body, memory: null, chunks: () => (readings++, body.chunks()) }
  const { hop } = localHop({}, { files: disk })
  const to = Array.from({ length: 40 }, (_, i) => `user${i}@example.org`)
  assert.equal((await send(hop, to, outgoing(counted))).data, '250 2.0.0 Delivered')
  // Once for the loop check, three times for the mailboxes.
  assert.equal(readings, 4)
  assert.equal(disk.visible().size, 40)
  assert.equal(disk.openFiles, 0)
})

test('trouble with the spooled message is a 451 and leaves nothing', async () => {
  const disk = new SimulatedDisk()
  const { hop, log } = localHop({}, { files: disk })
  let readings = 0
  const body = {
    size: 100, memory: null, discard: () => undefined,
    async *chunks() {
      const second = readings++ > 0
      yield await Promise.resolve(Buffer.from('Subject: a\r\n\r\nx'))
      if (second) throw Object.assign(new Error('EIO: read'), { code: 'EIO' })
    },
  }
  assert.match((await send(hop, TO, outgoing(body))).data, /^451 4\.3\.0 /)
  assert.ok(log.has('error', 'read the message'))
  assert.equal(disk.visible().size, 0)
  assert.equal(disk.openFiles, 0)
})

test('a transaction that is aborted while it is written shows nothing', async () => {
  const disk = new SimulatedDisk()
  const { hop } = localHop({}, { files: disk })
  const transaction = hop.begin(CLIENT)
  await transaction.mail(path('a@b.example'))
  await transaction.rcpt(path('anna@example.org'))
  const running = transaction.data(outgoing(stored(BODY)))
  transaction.abort()
  assert.match(describeReply((await running)[0] ?? { status: 250, text: '' }), /^451 4\.3\.2 /)
  assert.equal(disk.visible().size, 0)
  await hop.close()
})

