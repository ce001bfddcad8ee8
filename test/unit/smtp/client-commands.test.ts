import { test } from 'node:test'
import assert from 'node:assert/strict'
import { parseCapabilities } from '../../../src/smtp/capabilities.ts'
import { mailCommand, rcptCommand } from '../../../src/smtp/client-commands.ts'
import type { EnvelopePath } from '../../../src/smtp/envelope.ts'

function path(wire: string, ...parameters: string[]): EnvelopePath {
  return {
    path: { wire, mailbox: null },
    parameters: parameters.map((one) => {
      const at = one.indexOf('=')
      return at < 0 ? { keyword: one, value: null } : { keyword: one.slice(0, at), value: one.slice(at + 1) }
    }),
  }
}

const offers = (...keywords: string[]) => parseCapabilities(['mx', ...keywords])
const EVERYTHING = offers('SIZE 10', '8BITMIME', 'SMTPUTF8', 'DSN', 'CHUNKING', 'BINARYMIME', 'AUTH PLAIN', 'REQUIRETLS', 'MT-PRIORITY')

test('MAIL and RCPT: paths as they came', () => {
  assert.deepEqual(mailCommand(path('<>'), offers()), { status: 'line', line: 'MAIL FROM:<>\r\n' })
  assert.deepEqual(mailCommand(path('<"a b"@X.example>'), offers()), { status: 'line', line: 'MAIL FROM:<"a b"@X.example>\r\n' })
  assert.deepEqual(rcptCommand(path('<\xc3\xa9@x>'), offers()), { status: 'line', line: 'RCPT TO:<\xc3\xa9@x>\r\n' })
})

test('MAIL: everything that is offered is passed, values as they came', () => {
  const sender = path('<a@b>', 'SIZE=500', 'BODY=8BITMIME', 'SMTPUTF8', 'RET=HDRS', 'ENVID=Q+2Bx', 'REQUIRETLS', 'MT-PRIORITY=3')
  assert.deepEqual(mailCommand(sender, EVERYTHING), { status: 'line', line: 'MAIL FROM:<a@b> SIZE=500 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=Q+2Bx REQUIRETLS MT-PRIORITY=3\r\n' })
})

test('RCPT: DSN parameters', () => {
  const recipient = path('<a@b>', 'NOTIFY=SUCCESS,FAILURE', 'ORCPT=rfc822;a@b')
  assert.deepEqual(rcptCommand(recipient, EVERYTHING), { status: 'line', line: 'RCPT TO:<a@b> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a@b\r\n' })
  assert.deepEqual(rcptCommand(recipient, offers()), { status: 'unsupported', keyword: 'DSN' })
})

test('SIZE and BODY=7BIT are left out where they mean nothing', () => {
  assert.deepEqual(mailCommand(path('<a@b>', 'SIZE=500', 'BODY=7BIT'), offers()), { status: 'line', line: 'MAIL FROM:<a@b>\r\n' })
  assert.deepEqual(mailCommand(path('<a@b>', 'SIZE=99999999'), offers('SIZE 10')), { status: 'line', line: 'MAIL FROM:<a@b> SIZE=99999999\r\n' })
  assert.deepEqual(mailCommand(path('<a@b>', 'BODY=7bit'), offers('8BITMIME')), { status: 'line', line: 'MAIL FROM:<a@b> BODY=7bit\r\n' })
})

test('nothing else is left out in silence', () => {
  const cases: readonly [parameter: string, lacking: string, but?: string][] = [
    ['BODY=8BITMIME', '8BITMIME'], ['BODY=8bitmime', '8BITMIME'], ['BODY=BINARYMIME', 'BINARYMIME', 'CHUNKING'], ['BODY=BINARYMIME', 'CHUNKING', 'BINARYMIME'],
    ['SMTPUTF8', 'SMTPUTF8'], ['RET=FULL', 'DSN'], ['ENVID=x', 'DSN'], ['REQUIRETLS', 'REQUIRETLS'], ['MT-PRIORITY=1', 'MT-PRIORITY'],
  ]
  for (const [parameter, lacking, but] of cases) {
    assert.deepEqual(mailCommand(path('<a@b>', parameter), offers(...(but ? [but] : []))), { status: 'unsupported', keyword: lacking })
  }
})

test('AUTH= is said where we have authenticated, and always there (RFC 4954 §5)', () => {
  const line = (parameters: readonly string[], authenticated: boolean) => {
    const made = mailCommand(path('<a@b>', ...parameters), EVERYTHING, authenticated)
    return made.status === 'line' ? made.line : made.status
  }
  assert.equal(line(['AUTH=c+40d', 'SIZE=1'], true), 'MAIL FROM:<a@b> SIZE=1 AUTH=c+40d\r\n')
  assert.equal(line(['AUTH=<>'], true), 'MAIL FROM:<a@b> AUTH=<>\r\n')
  assert.equal(line([], true), 'MAIL FROM:<a@b> AUTH=<>\r\n')
  for (const parameter of ['AUTH=c+40d', 'AUTH=<>']) assert.equal(line([parameter, 'SIZE=1'], false), 'MAIL FROM:<a@b> SIZE=1\r\n')
  assert.equal(line(['AUTH=x\r\nDATA'], true), 'unsafe')
})

test('a parameter of no known extension is for the server to answer', () => {
  assert.deepEqual(mailCommand(path('<a@b>', 'X-NEW=1', 'TOSTRING'), offers()), { status: 'line', line: 'MAIL FROM:<a@b> X-NEW=1 TOSTRING\r\n' })
})

test('no second command can hide in the first', () => {
  for (const wire of ['<a@b>\r\nDATA', '<a\n@b>', '<a\r@b>', '<a\0@b>']) assert.deepEqual(mailCommand(path(wire), offers()), { status: 'unsafe' })
  assert.deepEqual(rcptCommand(path('<a@b>', 'ORCPT=rfc822;x\r\nDATA'), EVERYTHING), { status: 'unsafe' })
})
