/** What dkimproxy.out signs, as whom and how: domains, maps, macros, errors; keys as installations have them. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { describeNotice, readCommandLine, readConfFile } from '../../../src/dkimproxy/given.ts'
import { readOutPlan } from '../../../src/dkimproxy/out-plan.ts'
import { OutSigning } from '../../../src/dkimproxy/out-signing.ts'
import { settleOut } from '../../../src/dkimproxy/settings.ts'
import { HeaderSectionReader, type HeaderSection } from '../../../src/message/header-section.ts'
import { temporaryDirectory } from '../../support/process.ts'

const directory = temporaryDirectory('keys')

function keyFile(name: string, options: { readonly bits?: number; readonly mode?: number; readonly ed25519?: boolean } = {}): void {
  const { privateKey } = options.ed25519 === true ? generateKeyPairSync('ed25519') : generateKeyPairSync('rsa', { modulusLength: options.bits ?? 2048 })
  writeFileSync(join(directory, name), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  chmodSync(join(directory, name), options.mode ?? 0o600)
}
keyFile('rsa')
keyFile('old', { bits: 1024, mode: 0o640 })
keyFile('ed', { ed25519: true })
keyFile('open', { mode: 0o644 })
keyFile('writable', { mode: 0o660 })

interface Read {
  readonly signing: OutSigning
  readonly warnings: readonly string[]
  readonly errors: readonly string[]
}

function read(text: string, maps: Readonly<Record<string, string>> = {}): Read {
  for (const [name, map] of Object.entries(maps)) writeFileSync(join(directory, name), map)
  const settled = settleOut(readConfFile(`listen a:1\nrelay b:2\n${text}`, 'f', 'dkimproxy.out'), readCommandLine([], 'dkimproxy.out'))
  if (settled.status === 'wrong') throw new Error(settled.errors.map(describeNotice).join('\n'))
  const { plan, errors, warnings } = readOutPlan(settled.settings, directory)
  return { signing: new OutSigning(plan), warnings: [...settled.warnings, ...warnings].map(describeNotice), errors: errors.map(describeNotice) }
}

function section(...fields: readonly string[]): HeaderSection {
  const reader = new HeaderSectionReader()
  reader.feed(Buffer.from(`${fields.join('\r\n')}\r\n\r\n`, 'latin1'))
  return reader.finish()
}

/** `d/s/c i` of each signature; the reason where there is none. */
function signed({ signing }: Read, ...fields: readonly string[]): string {
  const decision = signing.decide({ section: section(...fields) })
  if (decision.status !== 'sign') return decision.status
  return decision.orders.map(({ key, canonicalization: { header, body }, identity }) => `${key.domain} ${key.selector} ${key.algorithm} ${header}/${body}${identity === undefined ? '' : ` ${identity}`}`).join(', ')
}

const KEY = 'keyfile rsa\nselector sel\n'

describe('domains', () => {
  test('one domain signs all mail', () => {
    const one = read(`${KEY}domain Example.COM`)
    assert.deepEqual(one.errors, [])
    for (const from of ['From: a@example.com', 'From: a@other.example', 'Subject: no From', 'From: a@x.example, b@y.example']) assert.equal(signed(one, from), 'example.com sel rsa-sha256 relaxed/simple', from)
  })

  test('of several the one that the sender is of, or below; Sender goes before From', () => {
    const several = read(`${KEY}domain example.com,sub.example.com,example.org\nsignature dkim(c=relaxed/relaxed,a=rsa-sha256)`)
    const table: readonly (readonly [string, string])[] = [
      ['From: A@Example.Com', 'example.com'], ['From: a@x.y.example.com', 'example.com'], ['From: a@z.sub.example.com', 'sub.example.com'],
      ['From: a@other.example\r\nSender: b@example.org', 'example.org'], ['From: a@notexample.com', ''], ['From: a@com', ''], ['Subject: x', ''],
    ]
    for (const [from, domain] of table) assert.equal(signed(several, from), domain === '' ? 'unsigned' : `${domain} sel rsa-sha256 relaxed/relaxed`, from)
  })

  test('several signatures, each with its own', () => {
    const both = read(`${KEY}domain example.com\nmethod simple\nsignature dkim\nsignature dkim(key=ed, s=ed1, c=relaxed, d=sub.example.com, i=@x.sub.example.com)\nsignature domainkeys`)
    assert.equal(signed(both, 'From: a@b'), 'example.com sel rsa-sha256 simple/simple, sub.example.com ed1 ed25519-sha256 relaxed/simple @x.sub.example.com')
    assert.ok(both.warnings.some((text) => text.startsWith('f:9: no DomainKeys signature')))
  })

  test('what is signed: each occurrence, and what nobody may add', () => {
    const decision = read(`${KEY}domain example.com`).signing.decide({ section: section('From: a@b', 'Date: x', 'X-Other: y') })
    assert.ok(decision.status === 'sign')
    const [order] = decision.orders
    assert.ok(order !== undefined && order.signedFields.includes('list-unsubscribe') && order.signedFields.includes('resent-cc') && !order.signedFields.includes('received'))
    assert.deepEqual(order.oversignedFields, ['from', 'to', 'cc', 'subject', 'date'])
  })
})

describe('maps', () => {
  test('listid_map before sender_map before domain', () => {
    const all = read(`${KEY}domain example.com\nsignature dkim\nsender_map senders\nlistid_map lists`, {
      senders: 'anna@example.net dkim(s=anna)\nexample.net dkim(s=net), dkim(s=ed, key=ed)\nquiet.example domainkeys\n', lists: 'news.example.org dkim(s=list)\n',
    })
    assert.equal(signed(all, 'From: anna@example.net', 'List-Id: News <x.news.example.org>'), 'news.example.org list rsa-sha256 relaxed/simple')
    assert.equal(signed(all, 'From: Anna+tag@example.net'), 'example.net anna rsa-sha256 relaxed/simple')
    assert.equal(signed(all, 'From: bob@sub.example.net'), 'example.net net rsa-sha256 relaxed/simple, example.net ed ed25519-sha256 relaxed/simple')
    assert.equal(signed(all, 'From: bob@elsewhere.example'), 'example.com sel rsa-sha256 relaxed/simple')
    assert.equal(signed(all, 'From: a@quiet.example'), 'unsigned')
    assert.equal(signed(read(`${KEY}sender_map senders`), 'From: a@elsewhere.example'), 'unsigned', 'without signature lines the map alone')
  })

  test('macros, and identities that do not lie under the domain', () => {
    const macros = read(`${KEY}sender_map senders`, { senders: '. dkim(d=$senderdomain,i=$sender)\nfixed.example dkim(d=mail.$keydomain,i=@other.example)\nodd.example dkim(d=$nobody)\n' })
    assert.equal(signed(macros, 'From: A@Some.Example'), 'some.example sel rsa-sha256 relaxed/simple a@some.example')
    assert.equal(signed(macros, 'From: a@x.fixed.example'), 'mail.fixed.example sel rsa-sha256 relaxed/simple')
    assert.equal(signed(macros, 'From: a@odd.example'), 'defer')
    assert.equal(signed(read(`${KEY}sender_map senders`, { senders: '. dkim\n' }), 'From: a@b.example'), 'defer', 'there is no domain')
  })

  test('a line that is wrong concerns its own mail alone', () => {
    const broken = read(`${KEY}domain example.com\nsignature dkim\nsender_map senders`, { senders: 'a.example dkim(key=nowhere)\nb.example nonsense()\n' })
    assert.deepEqual(broken.errors, [])
    assert.match(broken.warnings.join('\n'), /senders:1: key \S+\/nowhere is not there; mail of a\.example cannot be signed\nsenders:2: /)
    assert.deepEqual([signed(broken, 'From: x@a.example'), signed(broken, 'From: x@c.example')], ['defer', 'example.com sel rsa-sha256 relaxed/simple'])
    assert.match(read('sender_map nowhere').errors.join(), /^f:3: nowhere cannot be read/)
  })
})

describe('keys and methods', () => {
  test('keys that others can read are refused, those that a group reads and weak ones are taken', () => {
    assert.match(read('domain x.example\nselector s\nkeyfile open').errors.join(), /^f:5: key \S+\/open is open to every user of the machine \(mode 0644\)/)
    assert.match(read('domain x.example\nselector s\nkeyfile writable').errors.join(), /can be changed by its group/)
    const old = read('domain x.example\nselector s\nkeyfile old')
    assert.deepEqual(old.errors, [])
    assert.match(old.warnings.join('\n'), /\/old has 1024 bits; RFC 8301/)
    assert.equal(signed(old, 'From: a@b'), 'x.example s rsa-sha256 relaxed/simple')
  })

  test('what is missing or wrong is an error with its line', () => {
    const table: readonly (readonly [string, RegExp])[] = [
      ['domain x.example\nselector s', /no keyfile is given/], ['domain x.example\nkeyfile rsa', /no selector/], [KEY, /no domain is given/], [`${KEY}domain x.example\nmethod odd`, /"odd" is no method/],
      [`${KEY}domain x.example\nsignature dkim(a=ed25519-sha256)`, /f:6: a=ed25519-sha256 does not fit the key/], [`${KEY}domain x.example\nsignature dkim(a=md5)`, /no algorithm/], [`${KEY}signature dkim(d=bad_domain!)`, /is no domain/],
    ]
    for (const [text, wanted] of table) assert.match(read(text).errors.join('\n'), wanted, text)
  })

  test('departures are said once, with the first line that they are true of', () => {
    const { warnings } = read(`${KEY}domain x.example\nidentity a@y.example\nsignature dkim(a=rsa-sha1)\nsignature dkim(c=nowsp,h=from,odd=1)\nsignature dkim`)
    assert.match(warnings.join('\n'), /f:6: identity is set[^]*f:7: a=rsa-sha1 becomes rsa-sha256[^]*f:8: without a= [^]*f:8: the method nowsp[^]*f:8: h= \(headers\)[^]*f:8: "odd"/)
    assert.equal(warnings.filter((text) => text.includes('without a=')).length, 1)
  })
})
