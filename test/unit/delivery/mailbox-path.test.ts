import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mailboxPath, parseMailboxTemplate, type MailboxTemplate } from '../../../src/delivery/mailbox-path.ts'

function template(text: string): MailboxTemplate {
  const result = parseMailboxTemplate(text)
  if (result.status !== 'ok') throw new Error(result.why)
  return result.template
}

function expand(text: string, values: { domain?: string; local?: string; user?: string }): string {
  const result = mailboxPath(template(text), { domain: 'example.org', local: 'anna', user: 'anna', ...values })
  return result.status === 'ok' ? result.path.path : result.why
}

test('the fixed part is what is above the first placeholder', () => {
  assert.deepEqual(template('/var/mail/{domain}/{local}'), { fixed: '/var/mail', names: ['{domain}', '{local}'] })
  assert.deepEqual(template('/home/{user}/Maildir/'), { fixed: '/home', names: ['{user}', 'Maildir'] })
  assert.deepEqual(template('/{local}'), { fixed: '/', names: ['{local}'] })
  assert.deepEqual(template('{local}'), { fixed: '.', names: ['{local}'] })
  assert.deepEqual(template('./mail/x-{local}'), { fixed: './mail', names: ['x-{local}'] })
  assert.deepEqual(template('/var/mail/all'), { fixed: '/var/mail', names: ['all'] })
})

test('a template that cannot work is refused with what is allowed', () => {
  for (const bad of ['', '/var/{name}/x', '/var/{local', '/var/local}', '/var/{local}/../x', '/', '/var/..', '/a\0b']) {
    assert.equal(parseMailboxTemplate(bad).status, 'malformed', bad)
  }
  const result = parseMailboxTemplate('/var/mail/{name}')
  assert.equal(result.status === 'malformed' && result.why, '{name} is not known; allowed: {domain}, {local}, {user}')
})

test('values are put in once: what looks like a placeholder in them stays', () => {
  assert.equal(expand('/m/{domain}/{local}', { local: '{user}' }), '/m/example.org/{user}')
  assert.equal(expand('/m/{domain}/{local}/{user}', { user: 'a@b' }), '/m/example.org/anna/a@b')
  assert.equal(expand('/{local}', {}), '/anna')
})

test('a value that could leave its place is unsafe', () => {
  for (const local of ['', '.', '..', '.hidden', '../x', 'a/b', 'a\\b', 'a\0', 'a\nb', 'a\x7f', 'a\x85', 'a\u2028b', '\ud800']) {
    assert.match(expand('/m/{domain}/{local}', { local }), /^\{local\} /, JSON.stringify(local))
  }
  assert.match(expand('/m/{domain}/{local}', { domain: '..' }), /^\{domain\} /)
})

test('a value that is not used may be anything', () => {
  assert.equal(expand('/m/{local}', { user: '../..' }), '/m/anna')
})

test('a name may have 255 bytes and no more', () => {
  assert.equal(expand('/m/{local}', { local: 'ä'.repeat(127) }), `/m/${'ä'.repeat(127)}`)
  assert.match(expand('/m/{local}', { local: 'ä'.repeat(128) }), /255 bytes/)
  assert.match(expand('/m/x{local}', { local: 'a'.repeat(255) }), /255 bytes/)
})

test('names of other scripts are fine', () => {
  assert.equal(expand('/m/{local}', { local: 'jürgen' }), '/m/jürgen')
  assert.equal(expand('/m/{local}', { local: 'a.b' }), '/m/a.b')
})
