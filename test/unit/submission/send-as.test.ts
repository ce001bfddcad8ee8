/** As whom a user may send, by default and by a file in the manner of Postfix's smtpd_sender_login_maps. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maySendAs, parseSenders, type SendAsTables } from '../../../src/submission/send-as.ts'
import { parsePasswords } from '../../../src/submission/password-file.ts'
import { domains } from '../delivery/local-fixture.ts'

const OURS = domains('example.org', 'example.com')

function tables(users: string | undefined, senders?: string, suffix = '+-'): SendAsTables {
  const table = users === undefined ? undefined : parsePasswords(users, OURS)
  const map = senders === undefined ? undefined : parseSenders(senders)
  assert.ok(table?.status !== 'malformed' && map?.status !== 'malformed')
  return { users: table?.value, senders: map?.value, domains: OURS, suffix }
}

function check(given: SendAsTables, login: string, expected: Readonly<Record<string, boolean>>): void {
  for (const [address, may] of Object.entries(expected)) assert.equal(maySendAs(given, login, address), may, `${login} as ${address}`)
}

const USERS = 'anna:\nanna-maria:\nbert@example.org:\ncarl:\ncarl@example.com:\n'

test('without a file: as itself, in our domains, with a suffix', () => {
  const given = tables(USERS)
  check(given, 'anna', {
    'anna@example.org': true, 'ANNA@Example.COM': true, 'anna+shop@example.org': true, 'anna-x-y@example.org': true,
    'anna-maria@example.org': false, 'anna-maria+x@example.org': false, 'anna@other.example': false, 'bert@example.org': false, 'info@example.org': false, '+anna@example.org': false,
    'anna': false, '@example.org': false, 'anna@': false, 'anna@[192.0.2.1]': false,
  })
  check(given, 'bert@example.org', { 'bert@example.org': true, 'bert+x@example.org': true, 'bert@example.com': false, 'anna@example.org': false })
  // The domain has a carl of its own.
  check(given, 'carl', { 'carl@example.org': true, 'carl@example.com': false })
  check(given, 'carl@example.com', { 'carl@example.com': true, 'carl@example.org': false })
  assert.equal(maySendAs(given, 'anna', null), true)
  check(tables(USERS, undefined, ''), 'anna', { 'anna@example.org': true, 'anna+x@example.org': false })
})

test('where the users are somebody else\'s: by the name of the login alone', () => {
  check(tables(undefined), 'anna', { 'anna@example.org': true, 'anna+x@example.com': true, 'bert@example.org': false })
  check(tables(undefined), 'anna@example.org', { 'anna@example.org': true, 'anna@example.com': false })
  check(tables('bert:\n'), 'anna@example.org', { 'anna@example.org': true, 'bert@example.org': false })
})

test('a file says who else may, and of an address that it lists who may at all', () => {
  const given = tables(USERS, '# shared\ninfo@example.org  anna, bert@example.org\n\nanna@example.com bert@example.org\n@news.example carl\n@example.org\tanna-maria\n')
  check(given, 'anna', { 'info@example.org': true, 'info+x@example.org': true, 'info@example.com': false, 'anna@example.org': true, 'anna@example.com': false, 'anna+x@example.com': false, 'a@news.example': false })
  check(given, 'bert@example.org', { 'info@example.org': true, 'anna@example.com': true, 'anna@example.org': false })
  check(given, 'carl', { 'anything@news.example': true, 'anything@sub.news.example': false })
  check(given, 'anna-maria', { 'info@example.org': true, 'anna@example.org': true, 'whoever@example.org': true, 'anna@example.com': false })
})

test('what is malformed is said with its line', () => {
  const parsed = parseSenders('info@example.org anna\nbare anna\n@exa/mple anna\nx@example.org\nINFO@example.org bert\n@-x- anna\n')
  assert.ok(parsed.status === 'malformed')
  assert.deepEqual(parsed.problems.map(({ line }) => line), [2, 3, 4, 5, 6])
  assert.match(parsed.problems[3]?.what ?? '', /info@example\.org has a line already/)
})
