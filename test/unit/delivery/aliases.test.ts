import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAliases, type AliasTable } from '../../../src/delivery/aliases.ts'
import { parseUsers } from '../../../src/delivery/users.ts'
import { domains } from './local-fixture.ts'

const OURS = domains('example.org', 'example.com')

function table(text: string): AliasTable {
  const result = parseAliases(text, OURS)
  if (result.status !== 'ok') throw new Error(JSON.stringify(result.problems))
  return result.value
}

function targets(text: string, name: string): string[] | undefined {
  return table(text).get(name)?.targets.map((t) => (t.domain === undefined ? t.local : `${t.local}@${t.domain}`))
}

function problems(text: string): string[] {
  const result = parseAliases(text, OURS)
  return result.status === 'ok' ? [] : result.problems.map((p) => `${p.line}: ${p.what}`)
}

test('names, lists, continuation lines, comments', () => {
  const text = '# head\npostmaster: anna\n\ninfo:  anna , Bert@Example.COM,\n\tcarl\n# between\n  , dora\r\nroot:anna\n'
  assert.deepEqual(targets(text, 'postmaster'), ['anna'])
  assert.deepEqual(targets(text, 'info'), ['anna', 'bert@example.com', 'carl', 'dora'])
  assert.deepEqual(targets(text, 'root'), ['anna'])
  assert.equal(table(text).get('info')?.line, 4)
})

test('names with a domain, and all of a domain', () => {
  const text = 'info@example.org: anna\n@example.com: bert\n'
  assert.deepEqual(targets(text, 'info@example.org'), ['anna'])
  assert.deepEqual(targets(text, '@example.com'), ['bert'])
  assert.equal(table(text).get('info'), undefined)
})

test('quotation marks around names and targets', () => {
  const text = '"big boss": "anna b"@example.org, "c,d"\n"a:b": "with \\" mark"\n"e@f"@example.org: g\n'
  assert.deepEqual(targets(text, 'big boss'), ['anna b@example.org', 'c,d'])
  assert.deepEqual(targets(text, 'a:b'), ['with " mark'])
  assert.deepEqual(targets(text, 'e@f@example.org'), ['g'])
})

test('what would leave the server is refused with its line and what is allowed', () => {
  const found = problems('a: x@elsewhere.example\nb: |/bin/sh, "|/bin/vacation x"\nc: /var/spool/x\nd: :include:/etc/list, :blackhole:\n')
  assert.equal(found.length, 6)
  assert.match(found[0] ?? '', /^1: x@elsewhere\.example: elsewhere\.example is not a domain of this server, and forwarding to others needs a queue.*allowed are users/)
  assert.match(found[1] ?? '', /^2: \|\/bin\/sh: mail is not piped into commands/)
  assert.match(found[2] ?? '', /^2: "\|\/bin\/vacation x": mail is not piped/)
  assert.match(found[3] ?? '', /^3: \/var\/spool\/x: mail is not appended to files/)
  assert.match(found[4] ?? '', /^4: :include:\/etc\/list: lists are not included/)
  assert.match(found[5] ?? '', /^4: :blackhole:/)
})

test('every malformed entry is named', () => {
  const found = problems(' first\nnoname\n: x\nempty:\na b: c\nd: e f\n"open: x\ng: x@no..domain\nh@a..b: x\ni: @example.org\nj: \\k\nj2: l\nj2: m\n')
  assert.deepEqual(found.map((line) => line.split(':')[0]), ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '13'])
  assert.match(found[0] ?? '', /continuation line without an entry/)
  assert.match(found[3] ?? '', /has no target/)
  assert.match(found[5] ?? '', /separated by commas/)
  assert.match(found[6] ?? '', /not closed/)
  assert.match(found[11] ?? '', /j2 stands already in line 12/)
})

test('an entry of a domain that is not accepted is a warning', () => {
  const result = parseAliases('info@elsewhere.example: anna\n', OURS)
  assert.ok(result.status === 'ok')
  assert.match(result.warnings[0]?.what ?? '', /never used: elsewhere\.example/)
})

test('an entry is bounded', () => {
  assert.match(problems(`a: b\n${`  ,${'x'.repeat(60_000)}\n`.repeat(20)}`)[0] ?? '', /1048576 characters/)
})

test('whatever stands in a file, the parsers come to an end without an exception', () => {
  // Pieces that mean something, in an order that does not; the same ones in every run.
  const pieces = ['a', 'b@example.org', '@', ':', ',', '"', '\\', '\n', '\n ', '\r\n', '#', ' ', '|', '/', ':include:', '\0', '\u00e4', '\ud800', 'x'.repeat(300), '..']
  let seed = 42
  const next = (n: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed % n
  }
  const seen = new Set<string>()
  for (let round = 0; round < 5000; round++) {
    const text = Array.from({ length: 1 + next(30) }, () => pieces[next(pieces.length)] ?? '').join('')
    for (const result of [parseAliases(text, OURS), parseUsers(text)]) {
      seen.add(result.status)
      if (result.status === 'malformed') assert.ok(result.problems.length > 0 && result.problems.every((p) => p.line >= 1 && p.what !== ''))
    }
  }
  assert.deepEqual([...seen].sort(), ['malformed', 'ok'])
})
