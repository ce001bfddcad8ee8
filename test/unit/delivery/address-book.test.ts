import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkAddressBook, resolveAddress, type AddressBook } from '../../../src/delivery/address-book.ts'
import { parseAliases } from '../../../src/delivery/aliases.ts'
import { parseUsers } from '../../../src/delivery/users.ts'
import { domain, domains } from './local-fixture.ts'

interface Given {
  /** undefined: everybody is a user */
  readonly users?: string
  readonly aliases?: string
  readonly suffix?: string
  readonly catchAll?: string
}

function book(given: Given): AddressBook {
  const ours = domains('example.org', 'example.com')
  const users = given.users === undefined ? undefined : parseUsers(given.users)
  const aliases = parseAliases(given.aliases ?? '', ours)
  if (aliases.status !== 'ok' || users?.status === 'malformed') throw new Error(JSON.stringify({ users, aliases }))
  const [local = '', at] = (given.catchAll ?? '').split('@')
  return {
    users: users?.value, aliases: aliases.value, domains: ours, suffix: given.suffix ?? '',
    catchAll: given.catchAll === undefined ? undefined : { local, domain: at === undefined ? undefined : domain(at) },
  }
}

function resolve(given: Given, address: string): string[] | string {
  const [local = '', at = ''] = address.split('@')
  const result = resolveAddress(book(given), { local, domain: domain(at) })
  switch (result.status) {
    case 'mailboxes': return result.mailboxes.map((m) => (m.user === m.local ? `${m.local}@${m.domain}` : `${m.user}=${m.local}@${m.domain}`))
    case 'unknown': return 'unknown'
    case 'endless': return result.why
  }
}

describe('users', () => {
  test('a user, a user of one domain, nobody', () => {
    const users = 'anna\nbert@example.org\n'
    assert.deepEqual(resolve({ users }, 'anna@example.com'), ['anna@example.com'])
    assert.deepEqual(resolve({ users }, 'bert@example.org'), ['bert@example.org=bert@example.org'])
    assert.equal(resolve({ users }, 'bert@example.com'), 'unknown')
  })

  test('everybody, without a users file', () => {
    assert.deepEqual(resolve({}, 'whoever@example.org'), ['whoever@example.org'])
  })
})

describe('suffixes', () => {
  const users = 'anna\nbert-x\nbert\ncarl+1\n'
  test('the exact name first, then the longest rest', () => {
    assert.deepEqual(resolve({ users, suffix: '+-' }, 'anna+shop@example.org'), ['anna@example.org'])
    assert.deepEqual(resolve({ users, suffix: '+-' }, 'anna-a-b+c@example.org'), ['anna@example.org'])
    assert.deepEqual(resolve({ users, suffix: '+-' }, 'bert-x@example.org'), ['bert-x@example.org'])
    assert.deepEqual(resolve({ users, suffix: '+-' }, 'bert-x-y@example.org'), ['bert-x@example.org'])
    assert.deepEqual(resolve({ users, suffix: '+-' }, 'bert-z-y@example.org'), ['bert@example.org'])
    assert.deepEqual(resolve({ users, suffix: '+-' }, 'carl+1@example.org'), ['carl+1@example.org'])
    assert.equal(resolve({ users, suffix: '+-' }, 'carl+2@example.org'), 'unknown')
  })
  test('only with the characters that are configured, and never the empty name', () => {
    assert.equal(resolve({ users, suffix: '+' }, 'anna-x@example.org'), 'unknown')
    assert.equal(resolve({ users, suffix: '' }, 'anna+x@example.org'), 'unknown')
    assert.equal(resolve({ users, suffix: '+' }, '+anna@example.org'), 'unknown')
  })
  test('without a users file the first of them ends the name', () => {
    assert.deepEqual(resolve({ suffix: '+-' }, 'anna-b+c@example.org'), ['anna@example.org'])
    assert.deepEqual(resolve({ suffix: '+' }, 'anna-b+c@example.org'), ['anna-b@example.org'])
    assert.deepEqual(resolve({ suffix: '+' }, '+c@example.org'), ['+c@example.org'])
  })
  test('an alias takes suffixes too, and its exact name wins', () => {
    assert.deepEqual(resolve({ users, suffix: '+', aliases: 'list: bert\nlist+a: anna\n' }, 'list+b@example.org'), ['bert@example.org'])
    assert.deepEqual(resolve({ users, suffix: '+', aliases: 'list: bert\nlist+a: anna\n' }, 'list+a@example.org'), ['anna@example.org'])
    assert.deepEqual(resolve({ suffix: '-', aliases: 'jean-luc: picard\n' }, 'jean-luc@example.org'), ['picard@example.org'])
  })
})

describe('aliases', () => {
  const users = 'anna\nbert\ncarl@example.com\n'
  test('come before users, the one of the domain before the bare one', () => {
    const aliases = 'anna: bert\ninfo: anna\ninfo@example.com: carl\n'
    assert.deepEqual(resolve({ users, aliases }, 'anna@example.org'), ['bert@example.org'])
    assert.deepEqual(resolve({ users, aliases }, 'info@example.org'), ['bert@example.org'])
    assert.deepEqual(resolve({ users, aliases }, 'info@example.com'), ['carl@example.com=carl@example.com'])
  })
  test('of several ways to a mailbox one counts', () => {
    const aliases = 'all: staff, anna, bert\nstaff: anna, bert, anna\n'
    assert.deepEqual(resolve({ users, aliases }, 'all@example.org'), ['anna@example.org', 'bert@example.org'])
  })
  test('an alias that names itself means the mailbox', () => {
    assert.deepEqual(resolve({ users, aliases: 'anna: anna, bert\n' }, 'anna@example.org'), ['anna@example.org', 'bert@example.org'])
    assert.deepEqual(resolve({ users, suffix: '+', aliases: 'anna: anna+copy, bert\n' }, 'anna@example.org'), ['anna@example.org', 'bert@example.org'])
  })
  test('targets that nobody knows are left out; where none is left the address is unknown', () => {
    assert.deepEqual(resolve({ users, aliases: 'a: anna, ghost\nb: ghost\n' }, 'a@example.org'), ['anna@example.org'])
    assert.equal(resolve({ users, aliases: 'a: anna, ghost\nb: ghost\n' }, 'b@example.org'), 'unknown')
  })
  test('a target in another domain of ours', () => {
    assert.deepEqual(resolve({ users, aliases: 'c: carl@example.com\n' }, 'c@example.org'), ['carl@example.com=carl@example.com'])
  })
  test('a circle is found when the tables are put together, and at run time', () => {
    const aliases = 'a: b\nb: c, anna\nc: a\n'
    assert.equal(resolve({ users, aliases }, 'b@example.org'), 'aliases in a circle: b -> c -> a -> b')
    const { errors } = checkAddressBook(book({ users, aliases }))
    assert.deepEqual(errors.map((e) => e.line), [1, 2, 3])
    assert.equal(errors[0]?.what, 'aliases in a circle: a -> b -> c -> a')
  })
  test('a circle over domains, and through @domain only where somebody comes that way', () => {
    const { errors } = checkAddressBook(book({ users, aliases: 'x@example.org: x@example.com\nx@example.com: x@example.org\n' }))
    assert.equal(errors.length, 2)
    assert.equal(checkAddressBook(book({ users, aliases: '@example.org: ghost\n' })).errors.length, 0)
  })
  test('ten aliases one behind the other, not eleven', () => {
    const chain = (n: number) => Array.from({ length: n }, (_, i) => `a${i}: ${i === n - 1 ? 'anna' : `a${i + 1}`}\n`).join('')
    assert.deepEqual(resolve({ users, aliases: chain(10) }, 'a0@example.org'), ['anna@example.org'])
    assert.match(String(resolve({ users, aliases: chain(11) }, 'a0@example.org')), /a0 goes through more than 10 aliases/)
    assert.equal(checkAddressBook(book({ users, aliases: chain(11) })).errors.length, 1)
  })
  test('a thousand mailboxes, not more', () => {
    const many = (n: number) => ({ users: Array.from({ length: n }, (_, i) => `u${i}\n`).join(''), aliases: `all: ${Array.from({ length: n }, (_, i) => `u${i}`).join(',')}\n` })
    assert.equal(resolve(many(1000), 'all@example.org').length, 1000)
    assert.match(String(resolve(many(1001), 'all@example.org')), /more than 1000 mailboxes/)
  })
  test('many ways do not take long: each alias is gone through once', () => {
    const layers = Array.from({ length: 9 }, (_, i) => ['a', 'b', 'c', 'd'].map((n) => `${n}${i}: a${i + 1}, b${i + 1}, c${i + 1}, d${i + 1}\n`).join('')).join('')
    assert.deepEqual(resolve({ users: 'a9\nb9\nc9\nd9\n', aliases: layers }, 'a0@example.org').length, 4)
  })
  test('a site with many domains and aliases is checked in bounded time, and says so where that is not all', () => {
    const users = 'anna\n'
    const bare = Array.from({ length: 2000 }, (_, i) => `a${i}: anna\n`).join('')
    const of = (n: number) => Array.from({ length: n }, (_, i) => `info${i}@example.org: anna\n`).join('')
    const small = book({ users, aliases: bare + of(1) })
    assert.deepEqual(checkAddressBook(small), { errors: [], warnings: [] })
    const many = new Set([...small.domains, ...Array.from({ length: 400 }, (_, i) => domain(`d${i}.example`))])
    const parsed = parseAliases(bare + [...many].map((d) => `x@${d}: anna\n`).join(''), many)
    assert.ok(parsed.status === 'ok')
    const { errors, warnings } = checkAddressBook({ ...small, aliases: parsed.value, domains: many })
    assert.deepEqual([errors.length, warnings.length], [0, 1])
    assert.match(warnings[0]?.what ?? '', /not all were looked at for circles/)
  })
  test('unknown targets are warned of, with their line', () => {
    const { warnings } = checkAddressBook(book({ users, suffix: '+', aliases: 'a: anna+x, ghost\nb: carl, carl@example.org, a, postmaster\n' }))
    assert.deepEqual(warnings.map((w) => `${w.line}: ${w.what}`), ['1: a: target ghost is neither user nor alias', '2: b: target carl@example.org is neither user nor alias'])
  })
})

describe('whatever is left', () => {
  const users = 'anna\nbert\n'
  test('@domain before the catch-all', () => {
    const given = { users, aliases: '@example.org: bert\n', catchAll: 'anna@example.com' }
    assert.deepEqual(resolve(given, 'ghost@example.org'), ['bert@example.org'])
    assert.deepEqual(resolve(given, 'ghost@example.com'), ['anna@example.com'])
    assert.deepEqual(resolve(given, 'anna@example.org'), ['anna@example.org'])
  })
  test('a bare catch-all is of the domain that the mail came for', () => {
    assert.deepEqual(resolve({ users, catchAll: 'anna' }, 'ghost@example.com'), ['anna@example.com'])
  })
  test('a catch-all that nobody is catches nothing', () => {
    assert.equal(resolve({ users, catchAll: 'nobody' }, 'ghost@example.com'), 'unknown')
  })
  test('an alias without a living target falls to the catch-all', () => {
    assert.deepEqual(resolve({ users, aliases: 'x: gone\n', catchAll: 'bert' }, 'x@example.org'), ['bert@example.org'])
  })
})

describe('postmaster (RFC 5321 §4.5.1)', () => {
  const users = 'anna\n'
  test('is a user or alias like others', () => {
    assert.deepEqual(resolve({ users: 'postmaster\n' }, 'postmaster@example.org'), ['postmaster@example.org'])
    assert.deepEqual(resolve({ users, aliases: 'postmaster: anna\n' }, 'postmaster@example.org'), ['anna@example.org'])
  })
  test('goes to the catch-all where there is one', () => {
    assert.deepEqual(resolve({ users, catchAll: 'anna@example.com' }, 'postmaster@example.org'), ['anna@example.com'])
    assert.deepEqual(resolve({ users, aliases: '@example.org: anna\n' }, 'postmaster@example.org'), ['anna@example.org'])
  })
  test('is a mailbox of its own otherwise, and always accepted', () => {
    assert.deepEqual(resolve({ users }, 'postmaster@example.org'), ['postmaster@example.org'])
    assert.deepEqual(resolve({ users, aliases: 'postmaster: ghost\n' }, 'postmaster@example.org'), ['postmaster@example.org'])
    assert.deepEqual(resolve({ users, catchAll: 'ghost' }, 'postmaster@example.org'), ['postmaster@example.org'])
  })
  test('can be a target and a catch-all without being a user', () => {
    assert.deepEqual(resolve({ users, aliases: 'root: postmaster\n' }, 'root@example.org'), ['postmaster@example.org'])
    assert.deepEqual(resolve({ users, aliases: '@example.org: postmaster\n' }, 'ghost@example.org'), ['postmaster@example.org'])
    assert.deepEqual(resolve({ users, catchAll: 'postmaster@example.com' }, 'ghost@example.org'), ['postmaster@example.com'])
  })
})
