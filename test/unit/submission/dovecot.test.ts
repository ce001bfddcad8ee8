/** Dovecot's auth protocol against a server that does as it is told, well or badly. */
import assert from 'node:assert/strict'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDovecotClient, type DovecotClient } from '../../../src/submission/dovecot-client.ts'
import { DovecotLines, parseDovecotLine } from '../../../src/submission/dovecot-wire.ts'
import { DEFAULT_GUARD } from '../../../src/submission/settings.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { ScramClient } from '../../support/scram-client.ts'
import { begin, facts, ground, HASHES, logIn, outcome, PLAIN_TLS, type GroundOptions } from './authenticator-fixture.ts'

const GREETING = 'VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nMECH\tSCRAM-SHA-256\tmutual-auth\nMECH\tCRAM-MD5\tdictionary\nMECH\tANONYMOUS\tanonymous\nMECH\tXTOKEN\tplaintext\nMECH\tSECRETLY\tprivate\nSPID\t7\nCUID\t1\nCOOKIE\tabc\nDONE\n'

interface Scripted {
  readonly path: string
  /** what came, without the handshake */
  readonly heard: string[]
  readonly handshakes: string[]
  greeting: string
  answer: (line: string, socket: Socket) => void
  connections: number
  drop(): void
  stop(): Promise<void>
}

async function scripted(): Promise<Scripted> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    made.connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    const lines = new DovecotLines()
    socket.write(made.greeting)
    socket.on('data', (bytes: Buffer) => {
      const got = lines.push(bytes)
      assert.ok(typeof got !== 'string')
      for (const line of got) {
        if (/^(?:VERSION|CPID)\t/.test(line)) made.handshakes.push(line)
        else {
          made.heard.push(line)
          made.answer(line, socket)
        }
      }
    })
  })
  const made: Scripted = {
    path: join(temporaryDirectory('auth'), 'auth.sock'), heard: [], handshakes: [], greeting: GREETING, connections: 0, answer: () => undefined,
    drop: () => sockets.forEach((socket) => socket.destroy()),
    stop: async () => {
      made.drop()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  await new Promise<void>((resolve) => server.listen(made.path, resolve))
  return made
}

const idOf = (line: string): string => line.split('\t')[1] ?? ''

/** A server that knows anna with the password `secret`, by PLAIN. */
function knowsAnna(line: string, socket: Socket): void {
  const resp = Buffer.from(/resp=(\S*)$/.exec(line)?.[1] ?? '', 'base64').toString()
  const [, user = '', password] = resp.split('\0')
  if (user === 'slow') return
  if (user === 'temp') socket.write(`FAIL\t${idOf(line)}\tuser=temp\ttemp\n`)
  else socket.write(password === 'secret' ? `OK\t${idOf(line)}\tuser=${user.toLowerCase()}@example.org\n` : `FAIL\t${idOf(line)}\tuser=${user}\n`)
}

async function on(options: GroundOptions, body: (g: Awaited<ReturnType<typeof ground>>, server: Scripted) => Promise<void>, greeting = GREETING): Promise<void> {
  const server = await scripted()
  server.greeting = greeting
  const g = await ground({ dovecot: { socket: { path: server.path }, timeoutMs: 5000 }, ...options })
  try {
    await body(g, server)
  } finally {
    await g.close()
    await server.stop()
  }
}

test('a password goes as PLAIN, with what Dovecot wants to know of the session', async () => {
  await on({}, async (g, server) => {
    server.answer = knowsAnna
    assert.equal(await logIn(g, 'Anna'), 'anna@example.org by PLAIN')
    assert.equal(await logIn(g, 'anna', { password: 'wrong' }), '535')
    assert.equal(await logIn(g, 'temp'), '454')
    const login = begin(g, 'LOGIN')
    await login.step(Buffer.from('anna'))
    assert.equal(outcome(await login.step(Buffer.from('secret'))), 'anna@example.org by LOGIN')
    assert.equal(server.heard[0], `AUTH\t1\tPLAIN\tservice=smtp\tnologin\tlip=198.51.100.1\trip=192.0.2.1\tsecured\tresp=${Buffer.from('\0Anna\0secret').toString('base64')}`)
    assert.equal(server.handshakes[0], 'VERSION\t1\t2')
    assert.match(server.handshakes[1] ?? '', /^CPID\t\d+$/)
    assert.equal(server.connections, 1)
    for (const line of g.log.lines) assert.doesNotMatch(JSON.stringify(line), /secret|wrong"/)
  })
})

test('what the server lists is offered, but nothing by which anybody is let in', async () => {
  await on({}, (g) => {
    assert.deepEqual(g.authenticator.mechanisms(PLAIN_TLS), ['SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'LOGIN', 'XTOKEN'])
    assert.deepEqual(g.authenticator.mechanisms(undefined), [])
    return Promise.resolve()
  })
  await on({ withoutTls: true, mechanisms: ['CRAM-MD5', 'PLAIN'] }, (g) => {
    assert.deepEqual(g.authenticator.mechanisms(undefined), ['CRAM-MD5'])
    return Promise.resolve()
  })
})

test('other mechanisms pass step by step', async () => {
  await on({}, async (g, server) => {
    server.answer = (line, socket) => {
      if (line.startsWith('AUTH')) socket.write(`CONT\t${idOf(line)}\t${Buffer.from('r=abc,s=c2FsdA==,i=4096').toString('base64')}\n`)
      else if (server.heard.filter((one) => one.startsWith('CONT')).length === 1) socket.write(`CONT\t${idOf(line)}\t${Buffer.from('v=sig').toString('base64')}\n`)
      else socket.write(`OK\t${idOf(line)}\tuser=bert@example.org\n`)
    }
    const scram = begin(g, 'SCRAM-SHA-256', facts(PLAIN_TLS))
    const client = new ScramClient({ user: 'bert', password: 'x' })
    assert.equal(outcome(await scram.step(client.first)), '? r=abc,s=c2FsdA==,i=4096')
    assert.equal(outcome(await scram.step(Buffer.from('c=biws,r=abc,p=x'))), '? v=sig')
    assert.equal(outcome(await scram.step(Buffer.alloc(0))), 'bert@example.org by SCRAM-SHA-256')
    assert.match(server.heard[0] ?? '', /\tresp=[A-Za-z0-9+/=]+$/)
    const given = begin(g, 'XTOKEN')
    await given.step(null)
    assert.doesNotMatch(server.heard.at(-1) ?? '', /resp=/)
    given.abort()
    await new Promise((resolve) => setImmediate(resolve))
    server.answer = (line, socket) => socket.write(`OK\t${idOf(line)}\tuser=bert\tnologin\n`)
    assert.equal(outcome(await begin(g, 'XTOKEN').step(Buffer.from('x'))), '535')
    assert.ok(server.heard.some((line) => line.startsWith('CANCEL')))
    server.answer = (line, socket) => socket.write(`OK\t${idOf(line)}\n`)
    assert.equal(outcome(await begin(g, 'XTOKEN').step(Buffer.from('x'))), '454')
  })
})

test('with a users file, those it knows are asked of it, and the rest of Dovecot', async () => {
  await on({ file: `carla:${HASHES.argon2}\ndave:\nemil:!\nfred:{ROT13}x\n`, mechanisms: ['PLAIN', 'SCRAM-SHA-256'] }, async (g, server) => {
    server.answer = knowsAnna
    assert.equal(await logIn(g, 'carla'), 'carla by PLAIN')
    assert.equal(server.heard.length, 0)
    assert.equal(await logIn(g, 'anna'), 'anna@example.org by PLAIN')
    assert.equal(await logIn(g, 'dave'), 'dave@example.org by PLAIN')
    // What the file shuts out is not let in elsewhere.
    assert.equal(await logIn(g, 'fred'), '535')
  })
})

test('requests go side by side, and each gets its own answer', async () => {
  await on({}, async (g, server) => {
    const held: [string, Socket][] = []
    server.answer = (line, socket) => {
      held.push([line, socket])
      if (held.length === 5) for (const [one, to] of held.reverse()) knowsAnna(one, to)
    }
    const asked = ['a', 'b', 'c', 'd', 'e'].map((user) => logIn(g, user, { password: user === 'c' ? 'wrong' : 'secret', from: facts(PLAIN_TLS, undefined) }))
    assert.deepEqual(await Promise.all(asked), ['a@example.org by PLAIN', 'b@example.org by PLAIN', '535', 'd@example.org by PLAIN', 'e@example.org by PLAIN'])
    assert.equal(server.connections, 1)
  })
})

test('a connection that is lost is made again, and what was under way is 454', async () => {
  await on({}, async (g, server) => {
    server.answer = knowsAnna
    const slow = logIn(g, 'slow')
    await until(() => server.heard.length === 1)
    server.drop()
    assert.equal(await slow, '454')
    assert.equal(await logIn(g, 'anna'), 'anna@example.org by PLAIN')
    assert.equal(server.connections, 2)
  })
})

function client(path: string, nowMs: { value: number }, timeoutMs = 5000): { made: DovecotClient; troubles: string[] } {
  const troubles: string[] = []
  return { made: createDovecotClient({ socket: { path }, timeoutMs }, { monotonicMs: () => nowMs.value, clientId: () => 42, onTrouble: (cause) => troubles.push(cause) }), troubles }
}

test('who cannot be reached is left alone for a while, longer each time', async () => {
  const server = await scripted()
  server.greeting = 'VERSION\t2\t0\nDONE\n'
  const time = { value: 0 }
  const { made, troubles } = client(server.path, time)
  try {
    const tries: number[] = []
    for (; time.value <= 4000; time.value += 250) {
      const before = server.connections
      assert.match(await made.ready() ?? '', /version 2/)
      await until(() => server.connections >= before)
      tries.push(server.connections)
    }
    // At 0, 500, 1500 and 3500.
    assert.equal(tries.at(-1), 4)
    assert.equal(troubles.length, 1)
    server.greeting = GREETING
    time.value = 60_000
    assert.equal(await made.ready(), undefined)
    assert.equal(made.mechanisms()?.length, 7)
  } finally {
    made.close()
    await server.stop()
  }
})

test('no answer in time, a line without end, nonsense: each is unavailable', async () => {
  const server = await scripted()
  const time = { value: 0 }
  const { made, troubles } = client(server.path, time, 200)
  const ask = async (): Promise<string> => {
    const { first } = await made.begin({ mechanism: 'PLAIN', fields: [['service', 'smtp']], response: Buffer.from('x') })
    return first.status === 'unavailable' ? first.cause : first.status
  }
  try {
    assert.equal(await ask(), 'no answer in 200 ms')
    server.answer = (_, socket) => socket.write('x'.repeat(20_000))
    assert.equal(await ask(), 'a line of the server is too long')
    server.answer = (_, socket) => socket.write('OK\tnone\n')
    assert.equal(await ask(), 'OK without a number')
    server.answer = (line, socket) => socket.write(`OTHER\tx\nOK\t999\tuser=eve\nOK\t${idOf(line)}\tuser=anna\n`)
    assert.equal(await ask(), 'ok')
    assert.ok(troubles.length >= 3)
  } finally {
    made.close()
    await server.stop()
  }
  assert.equal(await ask(), 'closed')
})

test('lines come whole at every split', () => {
  const bytes = Buffer.from('OK\t1\tuser=anna\ttab=a\x01tb\x011c\n\nFAIL\t2\ttemp\nCONT\t3\tYWJj\nCONT\t4\n')
  for (let split = 0; split <= bytes.length; split++) {
    const lines = new DovecotLines()
    const got = [lines.push(bytes.subarray(0, split)), lines.push(bytes.subarray(split))].flat()
    const parsed = got.map(parseDovecotLine)
    assert.deepEqual(parsed[0], { word: 'ok', id: 1, fields: new Map([['user', 'anna'], ['tab', 'a\tb\x01c']]) })
    assert.deepEqual(parsed.slice(1), [{ word: 'other' }, { word: 'fail', id: 2, fields: new Map([['temp', '']]) }, { word: 'continue', id: 3, data: Buffer.from('abc') }, { word: 'continue', id: 4, data: Buffer.alloc(0) }])
  }
})

test('whom a mechanism of Dovecot\'s names is locked as anybody is, however late the name comes', async () => {
  const mechanisms: [string, (name: string) => string][] = [
    ['SCRAM-SHA-256', (name) => `n,,n=${name},r=abc`],
    ['XOAUTH2', (name) => `user=${name}\x01auth=Bearer x\x01\x01`],
    ['OAUTHBEARER', (name) => `n,a=${name},\x01auth=Bearer x\x01\x01`],
  ]
  for (const [mechanism, response] of mechanisms) {
    await on({ guard: { ...DEFAULT_GUARD, perAccount: 3 } }, async (g, server) => {
      server.answer = (line, socket) => socket.write(line.startsWith('AUTH') && mechanism.startsWith('SCRAM') ? `CONT\t${idOf(line)}\t${Buffer.from('r=abcd,s=c2FsdA==,i=4096').toString('base64')}\n` : `FAIL\t${idOf(line)}\n`)
      const guess = async (name: string, address: string): Promise<string> => {
        const exchange = begin(g, mechanism, facts(PLAIN_TLS, address))
        // Without an initial response it is we who invite one; Dovecot hears of it with the name.
        const heard = server.heard.length
        assert.equal(outcome(await exchange.step(null)), '? ')
        assert.equal(server.heard.length, heard)
        const step = await exchange.step(Buffer.from(response(name)))
        return outcome(step.status === 'challenge' ? await exchange.step(Buffer.from('c=biws,r=abcd,p=x')) : step)
      }
      for (let i = 0; i < 3; i++) assert.equal(await guess('anna', `10.0.${i}.1`), '535', mechanism)
      assert.equal(await guess('Anna', '10.0.9.1'), '454', mechanism)
      assert.equal(await guess('bert', '10.0.9.1'), '535', mechanism)
    }, `${GREETING.replace('DONE\n', '')}MECH\tXOAUTH2\nMECH\tOAUTHBEARER\nDONE\n`)
  }
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
