/**
 * Messages made to hurt, through the whole gateway, while somebody else keeps
 * sending letters: every one is answered, letters go on, no worker grows without
 * bounds, and none dies.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { workersOf } from '../support/gateway.ts'
import { LETTER, type Stage } from '../support/policy-stage.ts'
import { CLIENT } from '../support/policy-zone.ts'
import { rulesRead, spamStatus, startSpamStage, WORKERS } from '../support/spam-stage.ts'
import { TORTURE } from '../support/torture-mail.ts'

/** One holds a message of 34 MB, its parts within bounds, rules, and what the runtime has not cleaned up yet. */
const MOST_RESIDENT_MB = 500
const FROM = 'anna@sender.example'

/** The most that a process has had in memory so far. */
function peakMb(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024
}

describe('hostile content', () => {
  let stage: Stage
  before(async () => {
    stage = await startSpamStage()
    await rulesRead(stage)
  })
  after(() => stage.stop())

  async function send(to: string, data: Buffer): Promise<string> {
    const dialog = await stage.dialog(CLIENT.clean)
    try {
      await dialog.hello('mail.sender.example')
      return (await dialog.message({ from: FROM, to, data, chunked: true })).text
    } finally {
      dialog.close()
    }
  }

  test('all of it is answered while letters go on, in bounded memory', async (t) => {
    const workers = workersOf(stage.gateway.pid)
    assert.equal(workers.length, WORKERS)
    const calm = Math.max(...workers.map(peakMb))
    const over = new AbortController()
    let letters = 0
    let slowestMs = 0
    const others = (async () => {
      while (!over.signal.aborted) {
        const began = performance.now()
        const reply = await send('bob@hop.example', Buffer.from(LETTER, 'latin1'))
        assert.match(reply, /^250 /)
        slowestMs = Math.max(slowestMs, performance.now() - began)
        letters++
      }
    })()
    const kept: string[] = []
    try {
      for (const { name, make } of TORTURE) {
        const before = letters
        const began = performance.now()
        const reply = await send('alice@hop.example', make())
        assert.match(reply, /^(?:250 |5\d\d[ -]5\.)/, `${name}: ${reply}`)
        if (reply.startsWith('250')) kept.push(name)
        t.diagnostic(`${name}: ${reply.slice(0, 3)} after ${Math.round(performance.now() - began)} ms, ${letters - before} letters meanwhile`)
      }
    } finally {
      over.abort()
      await others
    }
    t.diagnostic(`${letters} letters, the slowest took ${Math.round(slowestMs)} ms; at most ${Math.round(calm)} MB before, ${workers.map((pid) => `${Math.round(peakMb(pid))} MB`).join(' and ')} after`)
    assert.deepEqual(workersOf(stage.gateway.pid).toSorted(), workers.toSorted(), 'no worker was replaced')
    for (const pid of workers) assert.ok(peakMb(pid) < MOST_RESIDENT_MB, `${peakMb(pid)} MB`)
    assert.ok(letters >= TORTURE.length, `${letters} letters`)
    assert.equal(stage.mailbox('bob').count, letters)
    // What was taken was judged, or says that it could not be.
    const delivered = stage.mailbox().read()
    assert.equal(delivered.length, kept.length)
    for (const message of delivered) assert.ok(spamStatus(message.subarray(0, 20_000)).id !== '')
    assert.deepEqual(stage.gateway.log().filter(({ level }) => level === 'error' || level === 'fatal'), [])
  })
})
