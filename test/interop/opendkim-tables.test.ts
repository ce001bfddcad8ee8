/**
 * OpenDKIM's tables, read by opendkim itself and by us: the same domain, the
 * same selector and the same `i=` for each sender. opendkim signs messages in
 * files (`-t`), without a socket and without a DNS.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { HeaderSectionReader } from '../../src/message/header-section.ts'
import { describeSigningProblem } from '../../src/signing/problem.ts'
import { SigningKeys } from '../../src/signing/signing-keys.ts'
import { temporaryDirectory } from '../support/process.ts'
import { zoneMap } from '../support/zone-map.ts'
import { key, recordingLog, ROOT, settings } from '../unit/signing/signing-fixture.ts'

const missing = spawnSync('opendkim', ['-V'], { timeout: 10_000 }).error === undefined ? false : 'opendkim is not installed (test/support/install-peers)'
const ORDER = ['ada@sub.a.example', 'sub.a.example', 'ada@.a.example', '.a.example', 'ada@.example', '.example', 'ada@*', '*', '.sub.a.example', 'ada@.sub.a.example', '*@*', '*@sub.a.example']
const SENDERS = ['ada@sub.a.example', 'Ada@SUB.a.example', 'bob@sub.a.example', 'ada@a.example', 'eve@a.example', 'ada@b.example', 'x@other.test']

interface Tables {
  readonly kind: 'file' | 'refile'
  readonly keys: string
  readonly signing: string
}

class Bench {
  readonly directory = temporaryDirectory('tables')
  readonly #keyFile = join(this.directory, 'k.pem')

  constructor() {
    writeFileSync(this.#keyFile, key('a').pem)
    chmodSync(this.#keyFile, 0o600)
    for (const domain of ['a.example', 'sub.a.example', 'b.example', 'other.test']) {
      mkdirSync(join(this.directory, domain))
      writeFileSync(join(this.directory, domain, 'k.pem'), key('a').pem, { mode: 0o600 })
    }
  }

  write({ keys, signing }: Tables): void {
    writeFileSync(join(this.directory, 'keys'), keys.replaceAll('KEY', this.#keyFile).replaceAll('DIR', this.directory))
    writeFileSync(join(this.directory, 'signing'), signing)
  }

  /** As `s=k1 d=a.example i=…`, '' where nothing is signed. */
  theirs({ kind }: Tables, from: string): string {
    const message = join(this.directory, 'm.eml')
    const configuration = join(this.directory, 'conf')
    writeFileSync(message, `From: ${from}\r\nTo: b@x.example\r\nSubject: t\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\nhello\r\n`)
    writeFileSync(configuration, `Mode s\nSyslog no\nSocket local:${this.directory}/sock\nRequireSafeKeys false\nKeyTable ${this.directory}/keys\nSigningTable ${kind}:${this.directory}/signing\n`)
    const { status, stdout, stderr } = spawnSync('opendkim', ['-x', configuration, '-t', message, '-vv'], { encoding: 'utf8', timeout: 20_000 })
    // A message that is not its to sign ends there, which the test mode takes for a failure.
    if (stderr.includes('mlfi_eoh() returned SMFIS_ACCEPT')) return ''
    assert.equal(status, 0, stderr)
    const field = /hname='DKIM-Signature' hvalue='([^']*)'/.exec(stdout)?.[1]?.replace(/\s+/g, ' ')
    return field === undefined ? '' : tags(field)
  }

  ours({ kind }: Tables, from: string): string {
    const tables = { keyTable: { kind: 'file', path: join(this.directory, 'keys') }, signingTable: { kind, path: join(this.directory, 'signing') }, multipleSignatures: false, addressFields: ['from'] } as const
    const load = SigningKeys.load(settings({ tables }), { resolver: zoneMap({}), log: recordingLog().log, now: () => 0, reader: ROOT })
    assert.ok(load.status === 'loaded', load.status === 'loaded' ? '' : load.problems.map(describeSigningProblem).join('\n'))
    const reader = new HeaderSectionReader()
    reader.feed(Buffer.from(`From: ${from}\r\n\r\n`))
    const decision = load.signing.decide({ listener: 'out', login: undefined, sender: null, recipientDomains: new Set(), section: reader.finish(), entitledTo: () => true, addedFields: new Set() })
    const [order] = decision.status === 'sign' ? decision.orders : []
    return order === undefined ? '' : `s=${order.key.selector} d=${order.key.domain}${order.identity === undefined ? '' : ` i=${order.identity}`}`
  }

  compare(tables: Tables): number {
    this.write(tables)
    const signed = SENDERS.map((from) => {
      const theirs = this.theirs(tables, from)
      assert.equal(this.ours(tables, from), theirs, `${from} by\n${tables.signing}`)
      return theirs
    })
    return signed.filter((one) => one !== '').length
  }
}

function tags(field: string): string {
  const tag = (name: string): string | undefined => new RegExp(`(?:^|; ?)${name}=([^;]*)`).exec(field)?.[1]?.trim()
  const identity = tag('i')
  return `s=${tag('s') ?? ''} d=${tag('d') ?? ''}${identity === undefined ? '' : ` i=${identity}`}`
}

const KEYS = ORDER.map((_, i) => `k${i} a.example:k${i}:KEY\n`).join('')

test('the order of look-ups in a plain table, and what is left when the first is not there', { skip: missing }, () => {
  const bench = new Bench()
  let signed = 0
  for (const from of ORDER.keys()) signed += bench.compare({ kind: 'file', keys: KEYS, signing: ORDER.map((one, i) => `${one} k${i}\n`).slice(from).reverse().join('') })
  assert.ok(signed > 30)
})

test('patterns: the order of the file, one of them alone, upper case', { skip: missing }, () => {
  const bench = new Bench()
  const lines = [...ORDER, '*@*.example', 'a*a@*b*', 'ADA@*', '*.EXAMPLE', 'ada@sub.a.exampl?', '*sub.a.example']
  const keys = lines.map((_, i) => `k${i} a.example:k${i}:KEY\n`).join('')
  for (const [i, one] of lines.entries()) bench.compare({ kind: 'refile', keys, signing: `${one}\tk${i}\n` })
  bench.compare({ kind: 'refile', keys, signing: lines.map((one, i) => `${one} k${i}   # ${i}\n`).reverse().join('\n') })
})

test('%, and what stands in i=', { skip: missing }, () => {
  const bench = new Bench()
  const keys = 'each %:mail:DIR/%/k.pem\na.example a.example:named:KEY\nsub.a.example %:named:KEY\nb.example %:named:KEY\nother.test %:named:KEY\nfixed a.example:f:KEY\n'
  for (const value of ['each', 'each:@%', 'each:ada@%', '%', '%:@%', 'fixed:@%', 'fixed:x@sub.a.example', 'fixed:x@other.example', 'fixed:@xa.example']) {
    bench.compare({ kind: 'refile', keys, signing: `*@* ${value}\n` })
  }
})
