/** What a newcomer reads is true of the embedded default. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { welcome } from '../../../src/cli/welcome.ts'
import { EMBEDDED_DEFAULT } from '../../../src/config/embedded.ts'
import { painter } from '../../../src/observe/readable.ts'
import { settingsFrom } from '../../support/settings.ts'

test('the welcome names the address, the commands and the mailbox of the embedded default', () => {
  const text = welcome(settingsFrom(EMBEDDED_DEFAULT, { cwd: '/home/new/postern' }), '/home/new/postern', painter(false))
  assert.match(text, /^ {4}swaks --server 127\.0\.0\.1:2525 --to you@localhost$/m)
  assert.match(text, /^ {4}printf .* \| curl -sS smtp:\/\/127\.0\.0\.1:2525 .*--mail-rcpt you@localhost -T -$/m)
  assert.match(text, /\.\/var\/mail\/localhost\/you\/new\//)
  assert.match(text, /Ctrl-C stops it/)
  assert.match(text, /npm run demo/)
})

test('a path elsewhere is shown whole', () => {
  const text = welcome(settingsFrom(EMBEDDED_DEFAULT, { cwd: '/srv' }), '/home/new', painter(false))
  assert.match(text, / \/srv\/var\/mail\/localhost\/you\/new\//)
})

describe('where variables of the environment have changed it', () => {
  const withVariables = (environment: NodeJS.ProcessEnv): string => welcome(settingsFrom(EMBEDDED_DEFAULT, { cwd: '/srv', environment }), '/srv', painter(false))

  test('a unix socket', () => {
    const text = withVariables({ POSTERN_LISTENERS_INBOUND_LISTEN: "unix:/run/it's in" })
    assert.match(text, /for anybody @localhost at unix:\/run\/it's in and/)
    assert.match(text, /^ {4}swaks --socket '\/run\/it'\\''s in' --to you@localhost$/m)
    assert.match(text, /\| curl -sS --unix-socket '\/run\/it'\\''s in' smtp:\/\/localhost --crlf/)
    assert.match(withVariables({ POSTERN_LISTENERS_INBOUND_LISTEN: 'unix:/run/in' }), /^ {4}swaks --socket \/run\/in --to/m)
  })

  test('an address of IPv6', () => {
    assert.match(withVariables({ POSTERN_LISTENERS_INBOUND_LISTEN: '[::1]:2599' }), /swaks --server \[::1\]:2599 --to you@localhost\n[^]*curl -sS smtp:\/\/\[::1\]:2599 /)
  })

  test('another place for the mailboxes, whatever stands around its placeholders', () => {
    for (const [maildir, lies] of [
      ['/x/{domain}/{local}', '/x/localhost/you/new/'],
      ['/x/mail-{domain}/{domain}-{local}/{local}', '/x/mail-localhost/localhost-you/you/new/'],
      ['/x/{user}', '/x/you/new/'],
      ['/x/all', '/x/all/new/'],
    ] as const) assert.ok(withVariables({ POSTERN_HOPS_LOCAL_MAILDIR: maildir }).includes(`It will lie in ${lies}\n`), maildir)
  })
})
