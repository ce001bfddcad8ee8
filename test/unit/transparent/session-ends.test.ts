/** How transparent sessions end: lost peers, silence, stops, back pressure. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Stage } from '../../support/transparent.ts'

const ENVELOPE = 'MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n'

async function begun(...[play]: ConstructorParameters<typeof Stage>): Promise<Stage> {
  const stage = new Stage(play)
  await stage.greet()
  await stage.client('EHLO client.example\r\n')
  stage.toClientText = ''
  return stage
}

describe('the relay is lost', () => {
  test('before it was there', async () => {
    const stage = new Stage()
    await stage.client('EHLO early\r\n')
    assert.equal(stage.toRelayText, '', 'nothing is read before the banner')
    stage.session.relayLost(true)
    assert.equal(stage.toClientText, '421 Internal error (Next hop is down)\r\n')
    assert.equal(stage.clientState, 'ended')
  })

  test('between commands', async () => {
    const stage = await begun()
    stage.session.relayLost()
    assert.match(stage.toClientText, /^421 4\.4\.2 [^\r]*\r\n$/)
  })

  test('with 421, which passes and is the last word', async () => {
    const stage = await begun()
    stage.session.fromRelay(Buffer.from('421 4.4.2 timeout\r\n'))
    stage.session.relayLost()
    assert.equal(stage.toClientText, '421 4.4.2 timeout\r\n')
    assert.equal(stage.clientState, 'ended')
  })

  test('while the client sends its message: the rest is read, then the client is told', async () => {
    const stage = await begun()
    await stage.client(`${ENVELOPE}DATA\r\n`)
    await stage.client('half\r\n')
    stage.session.fromRelay(Buffer.from('421 4.4.2 timeout\r\n'))
    stage.session.relayLost()
    stage.toClientText = ''
    await stage.client('RSET\r\nother half\r\n')
    assert.equal(stage.toClientText, '')
    await stage.client('.\r\n')
    assert.match(stage.toClientText, /^421 4\.4\.2 [^\r]*\r\n$/)
    assert.deepEqual(stage.relay.messages, [])
    assert.match(stage.ends[0]?.reply ?? '', /^421 /)
  })

  test('before its final reply: 421, and the client keeps the message', async () => {
    const stage = await begun({ replies: { '.': '' } })
    await stage.client(`${ENVELOPE}DATA\r\n`)
    await stage.client('text\r\n.\r\n')
    assert.equal(stage.relay.messages.length, 1)
    stage.toClientText = ''
    stage.session.relayLost()
    assert.match(stage.toClientText, /^421 4\.4\.2 /)
  })

  test('what is no reply, and replies that nobody asked for', async () => {
    for (const said of ['hello\r\n', '250-a\r\n251 b\r\n', '250 a\rb\r\n', '250 unasked\r\n', 'x'.repeat(9000)]) {
      const stage = await begun()
      stage.session.fromRelay(Buffer.from(said))
      assert.match(stage.toClientText, /^421 4\.3\.0 /, JSON.stringify(said.slice(0, 20)))
      assert.equal(stage.relayState, 'dropped')
      assert.equal(stage.errors.length, 1)
    }
  })

  test('a 2xx before it has the message is not believed', async () => {
    let finish: () => void = () => undefined
    const stage = await begun({ verdict: (body) => new Promise((resolve) => { finish = () => resolve({ status: 'send', prefix: Buffer.alloc(0), body }) }) })
    await stage.client(`${ENVELOPE}DATA\r\n`)
    await stage.client('text\r\n.\r\n')
    stage.toClientText = ''
    stage.session.fromRelay(Buffer.from('250 taken\r\n'))
    assert.match(stage.toClientText, /^421 4\.3\.0 /)
    finish()
    await stage.settled()
    assert.deepEqual(stage.relay.messages, [])
  })

  test('a refusal before it has the message passes, and the session ends with the next command', async () => {
    let finish: () => void = () => undefined
    const stage = await begun({ verdict: (body) => new Promise((resolve) => { finish = () => resolve({ status: 'send', prefix: Buffer.alloc(0), body }) }) })
    await stage.client(`${ENVELOPE}DATA\r\n`)
    await stage.client('text\r\n.\r\n')
    stage.toClientText = ''
    stage.session.fromRelay(Buffer.from('452 4.3.1 full\r\n'))
    assert.equal(stage.toClientText, '452 4.3.1 full\r\n')
    finish()
    await stage.client('QUIT\r\n')
    assert.match(stage.toClientText, /221 2\.0\.0 Bye\r\n$/)
    assert.deepEqual(stage.relay.messages, [])
  })
})

describe('the client is lost', () => {
  test('in a message: the relay is dropped without its end', async () => {
    const stage = await begun()
    await stage.client(`${ENVELOPE}DATA\r\n`)
    await stage.client('half\r\n')
    stage.session.clientEnded()
    assert.deepEqual([stage.relayState, stage.relay.messages, stage.toRelayText.includes('half')], ['dropped', [], false])
    assert.deepEqual(stage.ends.map(({ size, reply }) => [size, reply]), [[6, '']])
  })

  test('with replies due: they are still given', async () => {
    const stage = await begun()
    stage.session.fromClient(Buffer.from(ENVELOPE))
    stage.session.clientEnded()
    assert.equal(stage.clientState, 'open')
    await stage.settled()
    assert.deepEqual([stage.toClientText, stage.clientState], ['250 ok\r\n250 ok\r\n', 'ended'])
  })

  test('behind the end of its message: the message is delivered', async () => {
    const stage = await begun()
    await stage.client(`${ENVELOPE}DATA\r\n`)
    stage.session.fromClient(Buffer.from('text\r\n.\r\n'))
    stage.session.clientEnded()
    await stage.settled()
    assert.equal(stage.relay.messages.length, 1)
    assert.match(stage.toClientText, /250 2\.0\.0 taken\r\n$/)
    assert.equal(stage.clientState, 'ended')
  })
})

describe('time', () => {
  test('a silent client, a silent relay, and neither while we work', async () => {
    const client = await begun()
    client.now = 999
    client.session.tick()
    assert.equal(client.toClientText, '')
    client.now = 1000
    client.session.tick()
    assert.match(client.toClientText, /^421 4\.4\.2 No command/)
    const relay = await begun({ replies: { NOOP: '' } })
    await relay.client('NOOP\r\n')
    relay.now = 1999
    relay.session.tick()
    assert.equal(relay.toClientText, '')
    relay.now = 2000
    relay.session.tick()
    assert.match(relay.toClientText, /^421 4\.4\.2 The next hop/)
    const working = await begun({ verdict: () => new Promise(() => undefined) })
    await working.client(`${ENVELOPE}DATA\r\n`)
    await working.client('text\r\n.\r\n')
    working.now = 100_000
    working.session.tick()
    assert.equal(working.clientState, 'open')
  })

  /** Ticks every 900 ms until it ends, at most ten times; how often. */
  async function lasts(stage: Stage, meanwhile: () => Promise<void> | void): Promise<number> {
    for (let ticks = 1; ticks <= 10; ticks++) {
      stage.now += 900
      await meanwhile()
      stage.session.tick()
      if (stage.clientState !== 'open') return ticks
    }
    return Infinity
  }

  test('a byte now and then is no command, and no line of a message', async () => {
    const command = await begun()
    assert.equal(await lasts(command, () => command.client('N')), 2)
    assert.match(command.toClientText, /^421 4\.4\.2 No command/)
    const response = await begun({ replies: { AUTH: '334 \r\n' } })
    await response.client('AUTH LOGIN\r\n')
    assert.equal(await lasts(response, () => response.client('N')), 2)
    const data = await begun()
    await data.client(`${ENVELOPE}DATA\r\n`)
    assert.equal(await lasts(data, () => data.client('N')), 2)
    const skipped = await begun()
    await skipped.client('x'.repeat(2100))
    assert.equal(await lasts(skipped, () => skipped.client('N')), 2)
  })

  test('whole commands, lines of a message, and a long line that grows keep it', async () => {
    const commands = await begun()
    assert.equal(await lasts(commands, () => commands.client('NOOP\r\n')), Infinity)
    const lines = await begun()
    await lines.client(`${ENVELOPE}DATA\r\n`)
    assert.equal(await lasts(lines, () => lines.client('text\r\n')), Infinity)
    assert.equal(await lasts(lines, () => lines.client('x'.repeat(1000))), Infinity)
  })

  test('a relay that owes an answer is waited for no longer because of the client', async () => {
    const stage = await begun({ replies: { NOOP: '' } })
    await stage.client('NOOP\r\n')
    assert.equal(await lasts(stage, () => stage.client('NOOP\r\n')), 3)
    assert.match(stage.toClientText, /^421 4\.4\.2 The next hop does not answer/)
  })

  test('nor because of a part of a reply; each whole one gives it new time', async () => {
    const part = await begun({ replies: { NOOP: '' } })
    await part.client('NOOP\r\n')
    assert.equal(await lasts(part, () => part.session.fromRelay(Buffer.from('2'))), 3)
    const whole = await begun({ replies: { NOOP: '' } })
    await whole.client('NOOP\r\n'.repeat(20))
    assert.equal(await lasts(whole, () => whole.session.fromRelay(Buffer.from('250 ok\r\n'))), Infinity)
  })

  test('the time of a relay begins when it is asked, that of a client when it is answered', async () => {
    const relay = await begun({ replies: { NOOP: '' } })
    relay.now = 900
    await relay.client('NOOP\r\n')
    relay.now = 2899
    relay.session.tick()
    assert.equal(relay.clientState, 'open')
    relay.session.fromRelay(Buffer.from('250 ok\r\n'))
    relay.now = 3898
    relay.session.tick()
    assert.equal(relay.clientState, 'open')
    relay.now = 3899
    relay.session.tick()
    assert.match(relay.toClientText, /421 4\.4\.2 No command/)
  })

  test('after work of ours both have all of their time', async () => {
    let finish: (refuse: boolean) => void = () => undefined
    const slow = async (): Promise<Stage> => {
      const stage = await begun({ replies: { '.': '' }, verdict: (body) => new Promise((resolve) => { finish = (refuse) => resolve(refuse ? { status: 'refuse', reply: '450 no\r\n' } : { status: 'send', prefix: Buffer.alloc(0), body }) }) })
      await stage.client(`${ENVELOPE}DATA\r\n`)
      await stage.client('text\r\n.\r\n')
      stage.now = 50_000
      stage.session.tick()
      return stage
    }
    const passed = await slow()
    finish(false)
    await passed.settled()
    passed.now += 1999
    passed.session.tick()
    assert.equal(passed.clientState, 'open')
    passed.now += 1
    passed.session.tick()
    assert.match(passed.toClientText, /421 4\.4\.2 The next hop does not answer/)
    const refused = await slow()
    finish(true)
    await refused.settled()
    refused.now += 999
    refused.session.tick()
    assert.equal(refused.clientState, 'open')
    refused.now += 1
    refused.session.tick()
    assert.match(refused.toClientText, /421 4\.4\.2 No command/)
  })

  test('a stop ends idle sessions at once, and others behind their transaction', async () => {
    const idle = await begun()
    idle.session.stop()
    assert.match(idle.toClientText, /^421 4\.3\.2 /)
    const busy = await begun()
    await busy.client(ENVELOPE)
    busy.session.stop()
    assert.equal(busy.clientState, 'open')
    await busy.client('DATA\r\n')
    await busy.client('text\r\n.\r\n')
    assert.equal(busy.relay.messages.length, 1)
    assert.match(busy.toClientText, /250 2\.0\.0 taken\r\n421 4\.3\.2 [^\r]*\r\n$/)
  })

  test('an abort ends whatever is under way', async () => {
    const stage = await begun()
    await stage.client(`${ENVELOPE}DATA\r\n`)
    stage.session.abort()
    assert.deepEqual([stage.clientState, stage.relayState], ['ended', 'dropped'])
    assert.match(stage.ends[0]?.reply ?? '', /^421 4\.3\.2 /)
    stage.session.abort()
    assert.equal(stage.ends.length, 1)
  })
})

describe('back pressure', () => {
  test('who does not read is not read for', async () => {
    const stage = await begun()
    assert.deepEqual(stage.reading, { client: true, relay: true })
    stage.full.relay = true
    await stage.client('NOOP\r\n')
    assert.equal(stage.reading.client, false)
    stage.full.relay = false
    stage.session.relayDrained()
    assert.equal(stage.reading.client, true)
    stage.full.client = true
    await stage.client('NOOP\r\n')
    assert.deepEqual(stage.reading, { client: false, relay: false })
    stage.session.clientDrained()
    assert.deepEqual(stage.reading, { client: true, relay: true })
  })

  test('a message waits for a relay that does not read, and a relay that never does is left', async () => {
    const stage = await begun()
    await stage.client(`${ENVELOPE}DATA\r\n`)
    stage.full.relay = true
    await stage.client('text\r\n.\r\n')
    assert.deepEqual(stage.relay.messages, [])
    assert.ok(stage.toRelayText.endsWith('X-Passed: yes\r\n'))
    stage.now = 1999
    stage.session.tick()
    assert.equal(stage.clientState, 'open')
    for (let i = 0; i < 3; i++) {
      stage.session.relayDrained()
      await stage.settled()
    }
    assert.equal(stage.relay.messages.length, 1)
    const stuck = await begun()
    await stuck.client(`${ENVELOPE}DATA\r\n`)
    stuck.full.relay = true
    await stuck.client('text\r\n.\r\n')
    stuck.now = 2000
    stuck.session.tick()
    assert.match(stuck.toClientText, /421 4\.4\.2 The next hop does not answer/)
    assert.equal(stuck.relayState, 'dropped')
  })

  test('commands that are not answered are bounded', async () => {
    const stage = await begun({ replies: { NOOP: '' } })
    await stage.client('NOOP\r\n'.repeat(1000))
    assert.equal(stage.relay.commands.length, 201)
    assert.equal(stage.reading.client, false)
    stage.session.fromRelay(Buffer.from('250 ok\r\n'.repeat(200)))
    assert.equal(stage.relay.commands.length, 401)
  })
})
