import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseUsers, type UserTable } from '../../../src/delivery/users.ts'
import { domain } from './local-fixture.ts'

const ORG = domain('example.org')
const COM = domain('example.com')

function table(text: string): UserTable {
  const result = parseUsers(text)
  if (result.status !== 'ok') throw new Error(JSON.stringify(result.problems))
  return result.value
}

function problems(text: string): string[] {
  const result = parseUsers(text)
  return result.status === 'ok' ? [] : result.problems.map((p) => `${p.line}: ${p.what}`)
}

test('names alone and whole passwd lines, comments and empty lines between', () => {
  const users = table('# who\n\nanna\nbert:{SHA512-CRYPT}$6$x:5000:5001:Bert, B.:/home/bert:/bin/sh:userdb_mail=maildir:~/x\r\ncarl::::::\n')
  assert.equal(users.size, 3)
  assert.deepEqual(users.find('bert', ORG), { name: 'bert', owner: { uid: 5000, gid: 5001 }, line: 4 })
  assert.deepEqual(users.find('carl', ORG)?.owner, { uid: undefined, gid: undefined })
  assert.equal(users.find('dora', ORG), undefined)
})

test('a bare name is a user of every domain, one with a domain of that', () => {
  const users = table('anna\nbert@example.org\nanna@EXAMPLE.com:::\n')
  assert.equal(users.find('anna', ORG)?.name, 'anna')
  assert.equal(users.find('anna', COM)?.name, 'anna@example.com')
  assert.equal(users.find('bert', ORG)?.name, 'bert@example.org')
  assert.equal(users.find('bert', COM), undefined)
  assert.ok(users.knows('bert') && !users.knows('carl'))
})

test('names are compared in lower case, domains in A-labels', () => {
  const users = table('Anna.B@MÜNCHEN.example\n')
  assert.equal(users.find('anna.b', domain('xn--mnchen-3ya.example'))?.name, 'anna.b@xn--mnchen-3ya.example')
})

test('every malformed line is named', () => {
  assert.deepEqual(problems('anna\n:x:1:1\n../etc\na b:x\nanna:y\nx@no_domain..\n.x\n'), [
    '2: the user has no name; a line is user[:password[:uid[:gid[:…]]]]',
    '3: the name "../etc" cannot be a mailbox: it begins with a dot',
    '4: white space behind "a"; a line is user[:password[:uid[:gid[:…]]]]',
    '5: user anna stands already in line 1',
    '6: "no_domain.." is not a domain',
    '7: the name ".x" cannot be a mailbox: it begins with a dot',
  ])
})

test('problems are told up to twenty, lines up to 4096 characters', () => {
  assert.equal(problems(':\n'.repeat(50)).length, 20)
  assert.match(problems(`a:${'x'.repeat(5000)}`)[0] ?? '', /4096/)
})

test('a uid that is a name is a warning and is not used', () => {
  const result = parseUsers('anna::vmail:99999999999:\n')
  assert.ok(result.status === 'ok')
  assert.deepEqual(result.warnings.map((w) => `${w.line}: ${w.what}`), ['1: uid "vmail" is not a number and is not used', '1: gid "99999999999" is not a number and is not used'])
  assert.deepEqual(result.value.find('anna', ORG)?.owner, { uid: undefined, gid: undefined })
})

test('an empty file has no users', () => {
  assert.equal(table('').size, 0)
})

test('a password that stands in the place of white space is not told', () => {
  const result = parseUsers('bob {SHA512-CRYPT}$6$secrethash\n')
  assert.ok(result.status === 'malformed')
  assert.doesNotMatch(JSON.stringify(result.problems), /secrethash|SHA512/)
  assert.match(JSON.stringify(result.problems), /white space behind \\"bob\\"/)
})
