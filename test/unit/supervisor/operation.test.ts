/** Signals, reloads and exit codes of a service that the test plays. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ExitError } from '../../../src/cli/exit-codes.ts'
import type { Settings } from '../../../src/config/settings.ts'
import { operate, type LoadedAgain, type OperationParts } from '../../../src/supervisor/operation.ts'
import type { Service } from '../../../src/supervisor/service.ts'
import { addressesOf, fakeLog, settle, someSettings } from './fakes.ts'

function setUp(service: Partial<Service> = {}, more: Partial<OperationParts> = {}): {
  exit: Promise<number>; exited: () => number | undefined; signal: (name: NodeJS.Signals) => Promise<void>
  calls: string[]; told: string[]; errors: () => string; log: ReturnType<typeof fakeLog>
} {
  const calls: string[] = []
  const told: string[] = []
  const signals = new Map<string, () => void>()
  const log = fakeLog()
  let errors = ''
  let exitCode: number | undefined
  const tell = (what: string) => (): Promise<void> => Promise.resolve(void told.push(what))
  const exit = operate({
    settings: someSettings({ workers: 2 }),
    service: {
      start: () => Promise.resolve(void calls.push('start')),
      reload: (settings) => Promise.resolve(void calls.push(`reload ${settings.hostname} ${settings.workers}`)),
      stop: () => Promise.resolve(void calls.push('stop')),
      kill: () => void calls.push('kill'),
      addresses: () => addressesOf(25),
      answers: () => true,
      onFailure: () => undefined,
      ...service,
    },
    log: log.log,
    notifier: {
      ready: (status) => Promise.resolve(void told.push(`ready ${status}`)),
      reloading: tell('reloading'), stopping: tell('stopping'), watch: () => undefined, close: () => void told.push('close'),
    },
    load: () => ({ status: 'ok', settings: someSettings(), warnings: [] }),
    onSignal: (name, listener) => void signals.set(name, listener),
    hungUp: () => false,
    err: (text) => (errors += text),
    facts: { version: '1.2.3' },
    ...more,
  })
  void exit.then((code) => (exitCode = code))
  return {
    exit, calls, told, log,
    exited: () => exitCode,
    errors: () => errors,
    signal: (name) => {
      signals.get(name)?.()
      return settle()
    },
  }
}

const texts = ({ log }: { log: ReturnType<typeof fakeLog> }): string[] => log.lines.map(({ text }) => text)

describe('start', () => {
  test('is logged and told with where it listens', async () => {
    const one = setUp()
    await settle()
    assert.deepEqual(one.told, ['ready 2 workers, inbound 127.0.0.1:25'])
    assert.deepEqual(one.log.lines, [{ level: 'info', text: 'started', facts: { version: '1.2.3', workers: 2, listening: 'inbound 127.0.0.1:25' } }])
    assert.equal(one.exited(), undefined)
  })

  test('the watchdog follows whether the service answers', async () => {
    let watched: () => boolean = () => assert.fail('nobody watches')
    let answers = true
    const notifier: OperationParts['notifier'] = {
      ready: () => Promise.resolve(), reloading: () => Promise.resolve(), stopping: () => Promise.resolve(), close: () => undefined,
      watch: (answering) => (watched = answering),
    }
    setUp({ answers: () => answers }, { notifier })
    await settle()
    assert.equal(watched(), true)
    answers = false
    assert.equal(watched(), false)
  })

  for (const [name, error, code, advice] of [
    ['an address in use', Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' }), 75, /ss -ltnp/],
    ['a port that needs a right', Object.assign(new Error('bind EACCES'), { code: 'EACCES', port: 25 }), 77, /CAP_NET_BIND_SERVICE/],
    ['a known reason of a worker', new ExitError(78, 'no certificate\n  advice'), 78, /advice/],
    ['a bug', new TypeError('oops'), 70, /^$/],
  ] as const) {
    test(`that fails with ${name} ends with ${code}`, async () => {
      const one = setUp({ start: () => Promise.reject(error) })
      assert.equal(await one.exit, code)
      assert.match(one.errors(), advice)
      assert.deepEqual(texts(one), ['cannot start'])
      assert.deepEqual(one.told, [])
    })
  }
})

describe('stop', () => {
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    test(`by ${name} waits for the sessions and ends with 0`, async () => {
      let end: () => void = () => undefined
      const one = setUp({ stop: () => new Promise((resolve) => (end = resolve)) })
      await settle()
      await one.signal(name)
      assert.deepEqual(one.told.slice(1), ['close', 'stopping'])
      await one.signal('SIGTERM')
      assert.equal(one.exited(), undefined)
      end()
      assert.equal(await one.exit, 0)
      assert.deepEqual(texts(one), ['started', 'stopping', 'stopped'])
    })
  }

  test('a second SIGINT ends at once, with 130', async () => {
    const one = setUp({ stop: () => new Promise(() => undefined) })
    await settle()
    await one.signal('SIGINT')
    await one.signal('SIGINT')
    assert.equal(await one.exit, 130)
    assert.deepEqual(one.calls, ['start', 'kill'])
  })

  test('before the start is over: the failed start counts no more', async () => {
    let fail: (error: Error) => void = () => undefined
    const one = setUp({ start: () => new Promise((_resolve, reject) => (fail = reject)) })
    await settle()
    await one.signal('SIGTERM')
    fail(new Error('cut off'))
    assert.equal(await one.exit, 0)
    assert.deepEqual(one.told, ['close', 'stopping'])
  })

  test('by SIGHUP, when the terminal is gone', async () => {
    const one = setUp({}, { hungUp: () => true })
    await settle()
    await one.signal('SIGHUP')
    assert.equal(await one.exit, 0)
  })
})

describe('reload', () => {
  const loading = (...outcomes: LoadedAgain[]) => (): LoadedAgain => {
    const next = outcomes.shift()
    assert.ok(next !== undefined)
    return next
  }
  const good = (more: Partial<Settings>): LoadedAgain => ({ status: 'ok', settings: someSettings({ workers: 2, ...more }), warnings: ['careful'] })

  test('takes up a good configuration', async () => {
    const one = setUp({}, { load: loading(good({ hostname: 'b.example', workers: 3 })) })
    await settle()
    await one.signal('SIGHUP')
    assert.deepEqual(one.calls, ['start', 'reload b.example 3'])
    assert.deepEqual(one.told.slice(1), ['reloading', 'ready 3 workers, inbound 127.0.0.1:25'])
    assert.deepEqual(texts(one), ['started', 'warning in the new configuration', 'configuration reloaded'])
    assert.equal(one.log.configured.length, 1)
  })

  test('reports every error of a bad one and keeps the old', async () => {
    const one = setUp({}, { load: loading({ status: 'invalid', errors: ['a.yaml:1: x', 'a.yaml:2: y'] }) })
    await settle()
    await one.signal('SIGHUP')
    assert.deepEqual(one.calls, ['start'])
    assert.deepEqual(one.log.lines.filter(({ level }) => level === 'error').map(({ facts }) => facts['cause']), ['a.yaml:1: x', 'a.yaml:2: y', undefined])
    assert.deepEqual(one.told.slice(1), ['reloading', 'ready 2 workers, inbound 127.0.0.1:25'])
    assert.equal(one.exited(), undefined)
  })

  test('reports what cannot be taken up, and the next one works', async () => {
    let tries = 0
    const reload = (): Promise<void> => (++tries === 1 ? Promise.reject(new Error('bind EADDRINUSE')) : Promise.resolve())
    const one = setUp({ reload }, { load: loading(good({}), good({})) })
    await settle()
    await one.signal('SIGHUP')
    assert.deepEqual(one.log.lines.at(-1), { level: 'error', text: 'the new configuration cannot be used; the old one stays', facts: { cause: 'bind EADDRINUSE' } })
    assert.equal(one.log.configured.length, 0)
    await one.signal('SIGHUP')
    assert.equal(one.log.lines.at(-1)?.text, 'configuration reloaded')
  })

  test('an address that we hold ourselves, wider, is said to need a restart; anything else keeps its cause', async () => {
    const held = new Map([['inbound', [{ kind: 'tcp', host: '0.0.0.0', port: 2525 } as const]]])
    const [listener] = someSettings().listeners
    assert.ok(listener !== undefined)
    const narrowed = good({ listeners: [{ ...listener, listen: [{ kind: 'tcp', host: '127.0.0.1', port: 2525 }] }] })
    const causes = ['listen EADDRINUSE: address already in use 127.0.0.1:2525\n  Another program listens there.', 'no such certificate']
    const one = setUp({ addresses: () => held, reload: () => Promise.reject(new ExitError(75, causes.shift() ?? '')) }, { load: loading(narrowed, narrowed) })
    await settle()
    await one.signal('SIGHUP')
    await one.signal('SIGHUP')
    assert.deepEqual(one.log.lines.filter(({ level }) => level === 'error').map(({ facts }) => facts['cause']), [
      '127.0.0.1:2525 is still bound by this Postern as 0.0.0.0:2525; restart to narrow it',
      'no such certificate',
    ])
  })

  test('two at once come one after the other', async () => {
    const ends: (() => void)[] = []
    const one = setUp({ reload: () => new Promise((resolve) => ends.push(resolve)) }, { load: loading(good({}), good({})) })
    await settle()
    await one.signal('SIGHUP')
    await one.signal('SIGHUP')
    assert.equal(ends.length, 1)
    ends[0]?.()
    await settle()
    assert.equal(ends.length, 2)
  })

  test('from or to 0 workers keeps their number and says so', async () => {
    const one = setUp({}, { load: loading(good({ hostname: 'b.example', workers: 0 })) })
    await settle()
    await one.signal('SIGHUP')
    assert.deepEqual(one.calls, ['start', 'reload b.example 2'])
    assert.ok(one.log.lines.some(({ level, text }) => level === 'warn' && text.includes('needs a restart')))
  })

  test('another state directory stays what it was, and it is told', async () => {
    const states: string[] = []
    const one = setUp({ reload: (next: Settings) => Promise.resolve(void states.push(next.state)) }, { load: loading(good({ state: '/elsewhere' })) })
    await settle()
    await one.signal('SIGHUP')
    assert.deepEqual(states, [someSettings({}).state])
    assert.ok(one.log.lines.some(({ level, text }) => level === 'warn' && text.startsWith('state: another directory needs a restart')))
  })

  test('while stopping does nothing', async () => {
    const one = setUp({ stop: () => new Promise(() => undefined) }, { load: loading() })
    await settle()
    await one.signal('SIGTERM')
    await one.signal('SIGHUP')
    assert.deepEqual(one.calls, ['start'])
  })
})

describe('a service that cannot go on', () => {
  test('is stopped, told, and its exit code is that of the process', async () => {
    let fail: (why: ExitError) => void = () => undefined
    const one = setUp({ onFailure: (listener) => (fail = listener) })
    await settle()
    fail(new ExitError(75, 'no worker is left'))
    assert.equal(await one.exit, 75)
    assert.deepEqual(one.calls, ['start', 'stop'])
    assert.deepEqual(one.log.lines.find(({ level }) => level === 'error'), { level: 'error', facts: { cause: 'no worker is left', exitCode: 75 }, text: 'cannot go on, and ends' })
    assert.ok(one.told.includes('close'))
  })

  test('changes nothing where it is being stopped', async () => {
    let fail: (why: ExitError) => void = () => undefined
    const one = setUp({ onFailure: (listener) => (fail = listener) })
    await settle()
    await one.signal('SIGTERM')
    fail(new ExitError(75, 'no worker is left'))
    assert.equal(await one.exit, 0)
    assert.deepEqual(one.calls, ['start', 'stop'])
  })
})
