/** A worker between its supervisor and its gateway, both played by the test. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Settings } from '../../../src/config/settings.ts'
import type { Gateway } from '../../../src/gateway.ts'
import type { FromWorker, ToWorker } from '../../../src/supervisor/messages.ts'
import type { PackedRules } from '../../../src/scoring/packed-rules.ts'
import type { RuleSource } from '../../../src/scoring/rule-source.ts'
import { runWorker } from '../../../src/supervisor/worker.ts'
import { addressesOf, fakeLog, settle, someSettings } from './fakes.ts'

interface Stage {
  readonly said: FromWorker[]
  readonly done: string[]
  readonly exits: number[]
  /** what its gateway was given */
  readonly has: { rules?: RuleSource }
  readonly tell: (message: ToWorker) => Promise<void>
  readonly disconnect: () => Promise<void>
  readonly signal: (name: NodeJS.Signals) => Promise<void>
  readonly log: ReturnType<typeof fakeLog>
}

function stage(gateway: Partial<Gateway> = {}): Stage {
  const said: FromWorker[] = []
  const done: string[] = []
  const exits: number[] = []
  let heed: (message: ToWorker) => void = () => undefined
  let cut: () => void = () => undefined
  const signals = new Map<string, () => void>()
  const has: { rules?: RuleSource } = {}
  const log = fakeLog()
  const whole: Gateway = {
    start: () => Promise.resolve(void done.push('start')),
    reload: (settings) => Promise.resolve(void done.push(`reload ${settings.hostname}`)),
    stop: () => Promise.resolve(void done.push('stop')),
    addresses: () => addressesOf(2525),
    ...gateway,
  }
  runWorker({
    channel: {
      send: (message) => void said.push(message),
      onMessage: (listener) => (heed = listener),
      onDisconnect: (listener) => (cut = listener),
    },
    onSignal: (name, listener) => void signals.set(name, listener),
    createGateway: (settings: Settings, { rules }) => {
      done.push(`create ${settings.hostname}`)
      has.rules = rules
      return whole
    },
    createLog: () => log.log,
    exit: (code) => void exits.push(code),
  })
  return {
    said, done, exits, log, has,
    tell: (message) => {
      heed(message)
      return settle()
    },
    disconnect: () => {
      cut()
      return settle()
    },
    signal: (name) => {
      const listener = signals.get(name)
      assert.ok(listener !== undefined, `${name} would end the process`)
      listener()
      return settle()
    },
  }
}

const settings = someSettings({ hostname: 'one.example' })
const start = { type: 'start', settings } as const satisfies ToWorker

describe('a worker', () => {
  test('says that it is up, starts with the settings it is given, and says where it listens', async () => {
    const { said, done, tell } = stage()
    assert.deepEqual(said, [{ type: 'up' }])
    await tell(start)
    assert.deepEqual(done, ['create one.example', 'start'])
    assert.deepEqual(said.at(-1), { type: 'ready', addresses: addressesOf(2525) })
  })

  test('that cannot start says why, with the exit code that it ends with', async () => {
    const error = Object.assign(new Error('bind EACCES 0.0.0.0:25'), { code: 'EACCES', port: 25 })
    const { said, exits, tell } = stage({ start: () => Promise.reject(error) })
    await tell(start)
    const last = said.at(-1)
    assert.equal(last?.type === 'failed' && last.exitCode, 77)
    assert.match(last?.type === 'failed' ? last.message : '', /^bind EACCES 0\.0\.0\.0:25\n.*CAP_NET_BIND_SERVICE/)
    assert.deepEqual(exits, [77])
  })

  test('that finds a bug at its start tells the stack', async () => {
    const { said, exits, tell } = stage({ start: () => Promise.reject(new TypeError('oops')) })
    await tell(start)
    const last = said.at(-1)
    assert.match(last?.type === 'failed' ? last.message : '', /TypeError: oops\n.*worker\.test/)
    assert.deepEqual(exits, [70])
  })

  test('reloads, its log too', async () => {
    const { said, done, tell, log } = stage()
    await tell(start)
    const next = { ...settings, hostname: 'two.example', log: { level: 'debug', format: 'json' } } as const
    await tell({ type: 'reload', settings: next })
    assert.equal(done.at(-1), 'reload two.example')
    assert.deepEqual(log.configured, [next.log])
    assert.equal(said.at(-1)?.type, 'reloaded')
  })

  test('that cannot reload says so and goes on', async () => {
    const { said, exits, tell, log } = stage({ reload: () => Promise.reject(Object.assign(new Error('bind EADDRINUSE'), { code: 'EADDRINUSE' })) })
    await tell(start)
    await tell({ type: 'reload', settings })
    const last = said.at(-1)
    assert.equal(last?.type === 'reload-failed' && last.exitCode, 75)
    assert.deepEqual(log.configured, [])
    assert.deepEqual(exits, [])
  })

  test('stops once, when told, by SIGTERM, and when the supervisor is gone', async () => {
    for (const how of ['tell', 'signal', 'disconnect'] as const) {
      const one = stage()
      await one.tell(start)
      if (how === 'tell') await one.tell({ type: 'stop' })
      if (how === 'signal') await one.signal('SIGTERM')
      if (how === 'disconnect') await one.disconnect()
      await one.tell({ type: 'stop' })
      assert.deepEqual(one.done.filter((what) => what === 'stop'), ['stop'])
      assert.deepEqual(one.exits, [0])
    }
  })

  test('told to stop in the middle of its start waits for its end', async () => {
    let started: () => void = () => undefined
    const { exits, done, tell } = stage({ start: () => new Promise((resolve) => (started = resolve)) })
    await tell(start)
    await tell({ type: 'stop' })
    assert.deepEqual(exits, [])
    started()
    await settle()
    assert.equal(done.at(-1), 'stop')
    assert.deepEqual(exits, [0])
  })

  test('told to stop before it was told anything else just ends', async () => {
    const { exits, tell } = stage()
    await tell({ type: 'stop' })
    assert.deepEqual(exits, [0])
  })

  test('answers a ping at once, also in the middle of a start that takes long', async () => {
    const { said, tell } = stage({ start: () => new Promise(() => undefined) })
    await tell(start)
    await tell({ type: 'ping' })
    assert.deepEqual(said, [{ type: 'up' }, { type: 'pong' }])
  })

  test("leaves Ctrl-C and SIGHUP to its supervisor", async () => {
    const { exits, done, signal, tell } = stage()
    await tell(start)
    await signal('SIGINT')
    await signal('SIGHUP')
    assert.deepEqual(exits, [])
    assert.equal(done.at(-1), 'start')
  })
})

describe('a worker whose supervisor reads the rules', () => {
  const WANTED = { shipped: false, paths: [], scores: new Map<string, number>(), spamassassin: [] }
  const some = (name: string): PackedRules => ({ pieces: [Buffer.from(name)], problems: 0, passedOver: 0 })

  test('starts without them, has them when they come, and others with a reload that it can take up', async () => {
    const [first, second, third] = [some('first'), some('second'), some('third')]
    let broken = false
    const { tell, has, said } = stage({ reload: () => (broken ? Promise.reject(new Error('no')) : Promise.resolve()) })
    await tell({ ...start, rulesFollow: true })
    assert.equal(said.at(-1)?.type, 'ready')
    assert.equal(has.rules?.underWay, true)
    const early = has.rules.read(WANTED)
    await tell({ type: 'rules', rules: first })
    assert.equal(await early, first)
    await tell({ type: 'reload', settings, rules: second })
    assert.equal(await has.rules.read(WANTED), second)
    broken = true
    await tell({ type: 'reload', settings, rules: third })
    assert.equal(said.at(-1)?.type, 'reload-failed')
    assert.equal(await has.rules.read(WANTED), second)
  })

  test('that is gone reads what a message still asks for', async (t) => {
    const { tell, has, disconnect, log } = stage()
    await tell({ ...start, rulesFollow: true })
    assert.ok(has.rules !== undefined)
    const read = has.rules.read(WANTED)
    const busy = setInterval(() => undefined, 1000)
    t.after(() => clearInterval(busy))
    await disconnect()
    assert.deepEqual((await read).pieces, [])
    assert.ok(log.lines.some(({ text }) => text === 'the supervisor gave no rules; this worker reads them itself'))
  })
})
