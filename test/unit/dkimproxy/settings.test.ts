/** What DKIMproxy is to do: defaults, precedence, places, who may connect. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { describeNotice, readCommandLine, readConfFile } from '../../../src/dkimproxy/given.ts'
import { settleIn, settleOut, type InSettings, type OutSettings } from '../../../src/dkimproxy/settings.ts'

function out(text: string, ...argv: string[]): OutSettings {
  const settled = settleOut(readConfFile(text, 'f', 'dkimproxy.out'), readCommandLine(argv, 'dkimproxy.out'))
  if (settled.status === 'wrong') throw new Error(settled.errors.map(describeNotice).join('\n'))
  return settled.settings
}

function errors(text: string, ...argv: string[]): string {
  const settled = settleOut(readConfFile(text, 'f', 'dkimproxy.out'), readCommandLine(argv, 'dkimproxy.out'))
  return settled.status === 'wrong' ? settled.errors.map(describeNotice).join('\n') : ''
}

function verify(text: string, ...argv: string[]): InSettings {
  const settled = settleIn(readConfFile(text, 'f', 'dkimproxy.in'), readCommandLine(argv, 'dkimproxy.in'))
  if (settled.status === 'wrong') throw new Error(settled.errors.map(describeNotice).join('\n'))
  return settled.settings
}

const PLACES = 'listen 127.0.0.1:10027\nrelay 127.0.0.1:10028\n'

describe('settings', () => {
  test('defaults', () => {
    const settings = out(PLACES)
    assert.deepEqual([settings.listen, settings.relay, settings.rejectError, settings.maxSessions], [{ host: '127.0.0.1', port: 10027 }, { host: '127.0.0.1', port: 10028 }, false, 50])
    assert.deepEqual(settings.signatures.map(({ value }) => value), ['dkim'])
    assert.deepEqual(settings.log, { level: 2, to: { kind: 'stderr' } })
    assert.deepEqual(out(`${PLACES}sender_map m`).signatures, [], 'a map alone signs nobody else')
    assert.deepEqual(out(`${PLACES}daemonize 1`).log.to, { kind: 'syslog', ident: 'dkimproxy.out', facility: 'mail' })
    assert.deepEqual(verify(`${PLACES}log_file Sys::Syslog\nsyslog_ident x\nsyslog_facility local3`).log.to, { kind: 'syslog', ident: 'x', facility: 'local3' })
    assert.deepEqual(out(`${PLACES}log_file /var/log/x`).log.to, { kind: 'file', path: '/var/log/x' })
  })

  test('the last scalar wins, lists add up, the command line beats the file', () => {
    assert.deepEqual(out(`${PLACES}domain a\ndomain B.Example, c\nsignature dkim\nsignature dkim(s=2)`).domains, ['b.example', 'c'])
    assert.equal(out(`${PLACES}signature dkim\nsignature dkim(s=2)`).signatures.length, 2)
    assert.deepEqual(out(`${PLACES}signature dkim\nselector a`, '--signature=dkim(s=3)', '--selector', 'b').signatures.map(({ value }) => value), ['dkim(s=3)'])
    assert.equal(out(`${PLACES}selector a`, '--selector=b').selector?.value, 'b')
    assert.deepEqual(out(PLACES, '0.0.0.0:1', 'other:2').relay, { host: 'other', port: 2 })
    assert.equal(out(`${PLACES}method simple\ndkim_method relaxed`).method?.value, 'relaxed')
    assert.equal(out(`${PLACES}reject_error 1`).rejectError, true)
    assert.equal(out(`${PLACES}reject_error no`).rejectError, false)
  })

  test('places in every form', () => {
    assert.deepEqual(out('listen [::1]:7\nrelay [2001:db8::1]').relay, { host: '2001:db8::1', port: 25 })
    assert.deepEqual(out('host *\nport 10027/tcp\nrelay_host mail\nrelay_port 2525').listen, { host: '*', port: 10027 })
    assert.deepEqual(out('port 10027\nrelay mail').listen, { host: '*', port: 10027 })
    assert.deepEqual(out('listen *:9\nrelay mail.example.org').relay, { host: 'mail.example.org', port: 25 })
    for (const [text, wanted] of [['relay a', /port to listen on/], ['listen a:1', /where to relay/], ['listen a:99999\nrelay a', /f:1: listen is/], ['listen [zz]:1\nrelay a', /f:1/], ['listen a:1\nrelay b:x', /f:2: relay is/]] as const) {
      assert.match(errors(text), wanted, text)
    }
  })

  test('all that is wrong is said at once, with its line', () => {
    assert.deepEqual(errors('listen 1\nchroot /x\nmax_servers many\nlog_level 9\nsyslog_facility nowhere\ncidr_allow 10.0.0.300\nallow (').split('\n').map((one) => one.slice(0, 4)).sort(), ['comm', 'f:1:', 'f:2:', 'f:3:', 'f:4:', 'f:5:', 'f:6:', 'f:7:'])
  })

  test('who may connect: everybody, until there is a list', () => {
    assert.equal(out(PLACES).access('192.0.2.1'), true)
    const { access } = out(`${PLACES}allow 127\\.0\\.0\\.\\d+\ncidr_allow 10.0.0.0/8, 192.0.2.0/24\ndeny 10\\.1\\..*\ncidr_deny 192.0.2.7`)
    assert.deepEqual(['127.0.0.9', '10.2.0.1', '10.1.0.1', '192.0.2.1', '192.0.2.7', '203.0.113.1', '1127.0.0.9', undefined].map(access), [true, true, false, true, false, false, false, false])
    assert.equal(out(`${PLACES}deny 10.*`).access('192.0.2.1'), false, 'as Net::Server has it')
  })

  test('dkimproxy.in has its own', () => {
    const settings = verify(`${PLACES}hostname mx.example.org`, '--reject-fail')
    assert.deepEqual([settings.hostname, settings.rejectFail, settings.rejectError], ['mx.example.org', true, false])
    assert.throws(() => verify(`${PLACES}hostname a b`), /f:3: hostname/)
  })
})
