import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCommand } from '../../../src/smtp/command.ts'
import { checkParameters } from '../../../src/smtp/parameters.ts'

const ALL = new Map(['SIZE', '8BITMIME', 'BINARYMIME', 'SMTPUTF8', 'DSN', 'AUTH', 'REQUIRETLS', 'CHUNKING'].map((keyword) => [keyword, '']))

function check(verb: 'MAIL' | 'RCPT', text: string, offered: ReadonlyMap<string, string> = ALL): number | undefined {
  const command = parseCommand(`${verb === 'MAIL' ? 'MAIL FROM' : 'RCPT TO'}:<a@b.example> ${text}`)
  assert.ok(command.verb === verb && 'envelope' in command, text)
  return checkParameters(verb, command.envelope, offered)?.status
}

test('what the RFCs allow', () => {
  for (const text of ['SIZE=0', 'SIZE=12345678901234567890', 'BODY=7bit', 'BODY=8BITMIME', 'BODY=BINARYMIME', 'SMTPUTF8', 'RET=FULL', 'RET=hdrs', 'ENVID=', 'ENVID=a+2Bb', 'AUTH=<>', 'AUTH=a+40b', 'REQUIRETLS']) {
    assert.equal(check('MAIL', text), undefined, text)
  }
  for (const text of ['NOTIFY=NEVER', 'NOTIFY=success,failure,delay', 'ORCPT=rfc822;a+2Bb@c.example', 'ORCPT=utf-8;j\xc3\xb6rg@c.example', 'ORCPT=utf-8;\\x{F6}']) {
    assert.equal(check('RCPT', text), undefined, text)
  }
})

test('what they do not allow', () => {
  for (const text of ['SIZE=-1', 'SIZE=1k', 'SIZE=', 'SIZE', 'SIZE=123456789012345678901', 'BODY', 'BODY=8BIT', 'SMTPUTF8=', 'RET', 'RET=NONE', 'ENVID=a+b', 'ENVID=a=b', 'ENVID=\xe9', 'REQUIRETLS=yes']) {
    assert.equal(check('MAIL', text), 501, text)
  }
  for (const text of ['NOTIFY=', 'NOTIFY=NEVER,DELAY', 'NOTIFY=SUCCESS,', 'NOTIFY=ALWAYS', 'ORCPT=', 'ORCPT=a@b.example', 'ORCPT=;a', 'ORCPT=rfc822;', 'ORCPT=rfc822;a+4']) {
    assert.equal(check('RCPT', text), 501, text)
  }
})

test('what was not offered, or belongs to the other command', () => {
  const none = new Map<string, string>()
  for (const text of ['SIZE=1', 'BODY=7BIT', 'SMTPUTF8', 'RET=FULL', 'ENVID=a', 'AUTH=<>', 'REQUIRETLS', 'NOTIFY=NEVER', 'ORCPT=rfc822;a']) {
    assert.equal(check('MAIL', text, none), 555, text)
    assert.equal(check('RCPT', text, none), 555, text)
  }
  assert.equal(check('MAIL', 'NOTIFY=NEVER'), 555)
  assert.equal(check('RCPT', 'SIZE=1'), 555)
  assert.equal(check('MAIL', 'BODY=BINARYMIME', new Map([['8BITMIME', '']])), 555)
})
