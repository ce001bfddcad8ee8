/** The log: what a line holds in each form, what never stands in one. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLog, type LogDestination, type ProcessLog } from '../../../src/observe/create-log.ts'
import type { LogSettings } from '../../../src/config/settings.ts'

function capture(settings: Partial<LogSettings> = {}, destination: Omit<LogDestination, 'stream'> = {}): { log: ProcessLog; lines: () => string[] } {
  let text = ''
  const stream = { write: (chunk: string) => (text += chunk) }
  const log = createLog({ level: 'info', format: 'auto', ...settings }, { environment: {}, terminal: false, ...destination, stream })
  return { log, lines: () => text.split('\n').slice(0, -1) }
}

function parse(line: string | undefined): Record<string, unknown> {
  return JSON.parse(line ?? '') as Record<string, unknown>
}

describe('JSON lines', () => {
  test('one object a line with level, time, pid, facts and text', () => {
    const { log, lines } = capture()
    log.info({ id: 'ABC', rcpts: ['a@b.example'], size: 12, hop: undefined }, 'message')
    assert.equal(lines().length, 1)
    const { time, ...rest } = parse(lines()[0])
    assert.deepEqual(rest, { level: 'info', pid: process.pid, id: 'ABC', rcpts: ['a@b.example'], size: 12, msg: 'message' })
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  test('the level holds back what lies below it, and can be changed', () => {
    const { log, lines } = capture({ level: 'warn' })
    log.debug({}, 'd')
    log.info({}, 'i')
    log.warn({}, 'w')
    log.error({}, 'e')
    log.configure({ level: 'debug', format: 'json' })
    log.debug({}, 'd2')
    assert.deepEqual(lines().map((line) => parse(line)['msg']), ['w', 'e', 'd2'])
  })

  test('password, secret and key are left out at any depth; the facts themselves stay whole', () => {
    const { log, lines } = capture()
    const facts = { password: 'p1', user: 'u', tls: { key: 'k1', cert: 'c', more: [{ secret: 's1', name: 'n' }] }, keys: 3 }
    log.info(facts, 'x')
    const { user, tls, keys, ...rest } = parse(lines()[0])
    assert.deepEqual({ user, tls, keys }, { user: 'u', tls: { cert: 'c', more: [{ name: 'n' }] }, keys: 3 })
    assert.deepEqual(Object.keys(rest), ['level', 'time', 'pid', 'msg'])
    assert.equal(facts.password, 'p1')
    assert.equal(facts.tls.more[0]?.secret, 's1')
  })

  test('an error has type, message, code, cause and stack, under whatever name', () => {
    const { log, lines } = capture()
    const cause = Object.assign(new Error('no route'), { code: 'EHOSTUNREACH' })
    log.error({ err: new TypeError('outer', { cause }), other: cause }, 'x')
    const line = parse(lines()[0])
    const err = line['err'] as Record<string, unknown>
    assert.equal(err['type'], 'TypeError')
    assert.equal(err['message'], 'outer')
    assert.match(String(err['stack']), /create-log\.test/)
    assert.equal((err['cause'] as Record<string, unknown>)['code'], 'EHOSTUNREACH')
    assert.equal((line['other'] as Record<string, unknown>)['message'], 'no route')
  })

  test('structures that JSON has no form for, and loops, are shown and do not throw', () => {
    const { log, lines } = capture()
    const loop: Record<string, unknown> = { name: 'n' }
    loop['self'] = loop
    log.info({ map: new Map([['a', 1]]), set: new Set(['b']), bytes: Buffer.from('c'), big: 7n, loop }, 'x')
    const line = parse(lines()[0])
    assert.deepEqual(line['map'], { a: 1 })
    assert.deepEqual(line['set'], ['b'])
    assert.equal(line['bytes'], 'c')
    assert.equal(line['big'], 7)
    assert.match(lines()[0] ?? '', /…/)
  })

  test('no control character of the network leaves unescaped, and the value survives', () => {
    const { log, lines } = capture()
    let all = ''
    for (let code = 0; code < 0x100; code++) all += String.fromCharCode(code)
    all += '\u2028\u2029'
    log.info({ helo: all }, 'x')
    assert.equal(lines().length, 1)
    assert.doesNotMatch(lines()[0] ?? '', /[\x00-\x1f\x7f-\x9f\u2028\u2029]/)
    assert.equal(parse(lines()[0])['helo'], all)
  })
})

describe('on a terminal', () => {
  test('auto is readable, json is json, readable needs no terminal', () => {
    const onTerminal = capture({}, { terminal: true })
    onTerminal.log.info({ workers: 2 }, 'started')
    assert.match(onTerminal.lines()[0] ?? '', /started .*workers=/)
    const json = capture({ format: 'json' }, { terminal: true })
    json.log.info({}, 'started')
    assert.equal(parse(json.lines()[0])['msg'], 'started')
    const forced = capture({ format: 'readable' })
    forced.log.info({ workers: 2 }, 'started')
    assert.match(forced.lines()[0] ?? '', /^\d\d:\d\d:\d\d\.\d{3} {2}info started workers=2$/)
  })

  test('colours only on a terminal, and not with NO_COLOR or a dumb one', () => {
    const coloured = (destination: Omit<LogDestination, 'stream'>): boolean => {
      const { log, lines } = capture({ format: 'readable' }, destination)
      log.info({}, 'x')
      return (lines()[0] ?? '').includes('\x1b[')
    }
    assert.equal(coloured({ terminal: true }), true)
    assert.equal(coloured({ terminal: true, environment: { NO_COLOR: '' } }), true)
    assert.equal(coloured({ terminal: true, environment: { NO_COLOR: '1' } }), false)
    assert.equal(coloured({ terminal: true, environment: { TERM: 'dumb' } }), false)
    assert.equal(coloured({ terminal: false }), false)
  })

  test('secrets are left out there as well', () => {
    const { log, lines } = capture({ format: 'readable' })
    log.info({ password: 'hunter2', a: { key: 'k-e-y' } }, 'x')
    assert.doesNotMatch(lines()[0] ?? '', /hunter2|k-e-y/)
  })
})
