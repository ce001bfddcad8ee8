import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageIntake, type IntakeRules } from '../../../src/smtp/message-intake.ts'
import type { Reply } from '../../../src/smtp/reply.ts'
import type { MessageFacts, MessageSink } from '../../../src/smtp/session-handler.ts'

const FINE: Reply = { status: 250, text: 'fine' }

class Sink implements MessageSink {
  written = ''
  facts: MessageFacts | undefined
  refused: Reply | undefined
  aborted = false
  wait: Promise<void> | undefined

  write(piece: Buffer): Promise<void> | undefined {
    this.written += piece.toString('latin1')
    return this.wait
  }

  end(facts: MessageFacts): Promise<readonly Reply[]> {
    this.facts = facts
    return Promise.resolve([FINE])
  }

  refuse(reason: Reply): readonly Reply[] {
    this.refused = reason
    return [reason]
  }

  abort(): void {
    this.aborted = true
  }
}

function intake(rules: Partial<IntakeRules> = {}) {
  const sink = new Sink()
  return { sink, intake: new MessageIntake(sink, { maxBytes: 100, newlines: 'normalise', chunked: false, binary: false, ...rules }) }
}

test('DATA: as much as belongs to the message', async () => {
  const { sink, intake: of } = intake()
  assert.equal(of.take(Buffer.from('a\r\n..b\r\n.\r\nQUIT\r\n')), 11)
  assert.ok(of.ended)
  assert.deepEqual(await of.finish(), [FINE])
  assert.equal(sink.written, 'a\r\n.b\r\n')
  assert.deepEqual(sink.facts, { chunked: false, binary: false, anomalies: { bareCr: 0, bareLf: 0, nul: 0 } })
})

test('what was mended is told', async () => {
  const { sink, intake: of } = intake()
  of.take(Buffer.from('a\nb\rc\0\r\n.\r\n'))
  await of.finish()
  assert.equal(sink.written, 'a\r\nb\r\nc\r\n')
  assert.deepEqual(sink.facts?.anomalies, { bareCr: 1, bareLf: 1, nul: 1 })
})

for (const bad of ['a\nb', 'a\rb', 'a\0b']) {
  test(`refuse: ${JSON.stringify(bad)}, once the whole was read`, async () => {
    const { sink, intake: of } = intake({ newlines: 'refuse' })
    of.take(Buffer.from(bad))
    assert.equal(sink.refused, undefined)
    of.take(Buffer.from('\r\n.\r\n'))
    const [reply] = await of.finish()
    assert.equal(reply?.status, 550)
    assert.equal(sink.facts, undefined)
  })
}

test('BDAT: nothing ends it; a last CR is given its LF', async () => {
  const { sink, intake: of } = intake({ chunked: true })
  assert.equal(of.take(Buffer.from('.\r\na\r')), 5)
  assert.ok(!of.ended)
  await of.finish()
  assert.equal(sink.written, '.\r\na\r\n')
})

test('BINARYMIME: not a byte is touched, whatever the rule', async () => {
  const { sink, intake: of } = intake({ chunked: true, binary: true, newlines: 'refuse' })
  const bytes = '\0\r\n.\r\n\n\r\xff\r'
  of.take(Buffer.from(bytes, 'latin1'))
  assert.deepEqual(await of.finish(), [FINE])
  assert.equal(sink.written, bytes)
})

test('too big: no byte beyond the limit reaches the sink, and the rest is read', async () => {
  const { sink, intake: of } = intake({ maxBytes: 10 })
  of.take(Buffer.from('12345678\r\n'))
  assert.ok(!of.tooBig)
  of.take(Buffer.from('x'))
  assert.ok(of.tooBig)
  of.take(Buffer.from('yyyyyyy\r\n.\r\n'))
  assert.ok(of.ended)
  assert.equal((await of.finish())[0]?.status, 552)
  assert.equal(sink.written, '12345678\r\n')
})

test('the end waits for a slow sink', async () => {
  const { sink, intake: of } = intake()
  let go: () => void = () => undefined
  sink.wait = new Promise((resolve) => (go = resolve))
  of.take(Buffer.from('a\r\n.\r\n'))
  assert.ok(of.wait !== undefined)
  const done = of.finish()
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(sink.facts, undefined)
  go()
  assert.deepEqual(await done, [FINE])
})

test('abort', () => {
  const { sink, intake: of } = intake()
  of.abort()
  assert.ok(sink.aborted)
})
