/** `postern scan`: the verdict on a message in a file, and that nothing is left behind. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ExitError } from '../../../src/cli/exit-codes.ts'
import type { ScanRequest } from '../../../src/cli/scan-command.ts'
import { runScan, type ScanIo } from '../../../src/cli/scan.ts'
import { CLIENT, GOOD, LETTER, LIST, listed, PTR } from '../../support/judged-zone.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { TEST_MACHINE } from '../../support/settings.ts'
import { zoneMap, type ZoneData } from '../../support/zone-map.ts'

const NOW = Date.UTC(2026, 10, 21)

interface Called {
  readonly code: number
  readonly out: string
  readonly err: string
}

type Asked = { readonly [K in keyof ScanRequest]?: ScanRequest[K] | undefined }

interface Desk {
  readonly cwd: string
  readonly file: string
  readonly call: (request: Asked, change?: Partial<ScanIo> & { readonly zone?: ZoneData }) => Promise<Called>
  /** with --json */
  readonly ask: (request: Asked, change?: Partial<ScanIo> & { readonly zone?: ZoneData }) => Promise<Json & { readonly code: number }>
}

interface Json {
  readonly action: string
  readonly stage: string
  readonly exempt: boolean
  readonly transaction: Readonly<Record<string, unknown>>
  readonly checks: readonly { readonly check: string; readonly result: string; readonly detail: string }[]
  readonly verdict?: { readonly action: string; readonly by?: string; readonly score: number; readonly tagged: boolean }
  readonly shadow?: { readonly action: string }
  readonly fields?: { readonly added: readonly string[]; readonly removed: readonly string[] }
}

/** @param policy what stands under `policy`, in flow style */
function desk(policy = 'preset: standard', message: string = LETTER.join('\n') + '\n', more = 'spam: { shipped_rules: false }\n'): Desk {
  const cwd = temporaryDirectory('scan')
  writeFileSync(join(cwd, 'postern.yaml'), `hostname: mx.test.example\nstate: ${cwd}/state\nlisteners: [{ name: in, role: inbound, listen: "127.0.0.1:2525", next: backend }]\nhops: { backend: { smtp: "192.0.2.1:25" } }\ndomains: [hop.example]\npolicy: { ${policy} }\n${more}`)
  const file = join(cwd, 'message')
  writeFileSync(file, Buffer.from(message, 'latin1'))
  const call: Desk['call'] = async (request, { zone = GOOD, ...change } = {}) => {
    const written = { out: '', err: '' }
    const io: ScanIo = {
      cwd, environment: {}, machine: TEST_MACHINE, searchPath: ['postern.yaml'], terminal: false, now: () => NOW, resolver: zoneMap(zone),
      out: (text) => void (written.out += text), err: (text) => void (written.err += text), ...change,
    }
    try {
      // What is undefined is not given.
      const given = Object.fromEntries(Object.entries({ ip: CLIENT, helo: 'mail.sender.example', from: 'anna@sender.example', ...request }).filter(([, value]) => value !== undefined))
      const whole = { file: 'file' in request ? request.file : file, ...given } as ScanRequest
      return { code: await runScan(whole, io), ...written }
    } catch (error) {
      if (!(error instanceof ExitError)) throw error
      return { code: error.exitCode, out: written.out, err: error.message }
    }
  }
  return {
    cwd, file, call,
    async ask(request, change) {
      const { code, out, err } = await call({ ...request, json: true }, change)
      assert.equal(err, '')
      return { ...(JSON.parse(out) as Json), code }
    },
  }
}

const BANK: ZoneData = { ...GOOD, 'bank.example': { MX: [[10, 'mx.bank.example']] }, '_dmarc.bank.example': { TXT: ['v=DMARC1; p=reject'] } }
const FORGED = ['From: Bank <service@bank.example>', ...LETTER.slice(1), ''].join('\n')

test('a message in order: accepted, with every check and the fields it would get; nothing is left behind', async () => {
  const { call, cwd } = desk()
  const { code, out, err } = await call({})
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /^accepted\n\nwhen {7}2026-11-21 00:00:00\.000Z\nclient {5}192\.0\.2\.7, HELO mail\.sender\.example\nfrom {7}anna@sender\.example\nto {9}postmaster@hop\.example\nsize {7}\d+ B\n/)
  assert.match(out, /\n {2}iprev {10}pass {9}mail\.sender\.example/)
  assert.match(out, /\n {2}spf {12}pass /)
  assert.match(out, /\nFields added\n {2}X-Spam-Score: 0\.0\n(?: {2}.*\n)* {2}Authentication-Results: mx\.test\.example;.*\n(?: {2}.*\n)* {2}Received-SPF: pass/)
  assert.doesNotMatch(out, /Fields removed|\n {2}rate /)
  assert.deepEqual(readdirSync(cwd).sort(), ['message', 'postern.yaml'])
})

test('the exit code is the verdict where it is asked for', async () => {
  const spf = { ...GOOD, 'sender.example': { TXT: ['v=spf1 -all'], MX: [[10, 'mail.sender.example']] } } as const
  const cases: readonly (readonly [code: number, policy: string, zone: ZoneData, message?: string])[] = [
    [0, 'preset: standard', GOOD], [5, 'preset: standard', BANK, FORGED], [5, 'preset: standard', {}], [0, 'preset: observe', {}],
    [2, 'preset: standard, spf: score, spam: { quarantine: 2 }', spf], [4, 'preset: standard, spf: tempfail', spf],
  ]
  for (const [code, policy, zone, message] of cases) {
    const { call } = desk(policy, message)
    assert.equal((await call({ exitCode: true }, { zone })).code, code, policy)
    assert.equal((await call({}, { zone })).code, 0, policy)
  }
})

test('behind a refusal everything else is looked at all the same, and the first refusal counts', async () => {
  const { call, ask } = desk('preset: standard', FORGED)
  const { [PTR]: ptr, ...nameless } = BANK
  assert.ok(ptr !== undefined)
  const { out } = await call({}, { zone: nameless })
  assert.match(out, /^refused at the greeting, by rdns {2}\(the session would have ended there; the rest was looked at all the same\)\n {2}550 5\.7\.25 /)
  assert.match(out, /\n {2}dmarc {10}fail /)
  assert.doesNotMatch(out, /Fields added/)
  const refused = await ask({ rcpt: ['a@hop.example', 'b@hop.example'], helo: 'mx.test.example' }, { zone: GOOD })
  assert.equal(refused.action, 'accept')
  const strict = desk('preset: strict')
  const atRcpt = await strict.ask({ rcpt: ['a@hop.example', 'b@hop.example'], helo: 'mx.test.example' })
  assert.deepEqual([atRcpt.action, atRcpt.stage, atRcpt.verdict?.by], ['reject', 'recipients', 'helo'])
  assert.match(JSON.stringify(atRcpt.transaction['refused']), /^\["a@hop\.example 550 .*","b@hop\.example 550 /)
  assert.ok(atRcpt.checks.some(({ check }) => check === 'dkim'))
  assert.equal(atRcpt.fields, undefined)
})

test('without --helo that check is left out; without --from the Return-Path counts, or nobody', async () => {
  const { ask } = desk('preset: strict', `Return-Path: <anna@sender.example>\n${LETTER.join('\n')}\n`)
  const found = await ask({ helo: undefined, from: undefined })
  assert.equal(found.action, 'accept')
  assert.equal(found.transaction['from'], 'anna@sender.example')
  assert.ok(!('helo' in found.transaction) && !found.checks.some(({ check }) => check === 'helo'))
  assert.equal((await ask({ from: '<>' })).transaction['from'], '')
  assert.equal((await ask({ from: '' })).transaction['from'], '')
  assert.equal((await desk().ask({ from: undefined })).transaction['from'], '')
  assert.equal((await desk('preset: standard', `Return-Path: nonsense here\n\ntext\n`).ask({ from: undefined })).transaction['from'], '')
})

test('lists are proved first; what they say is a warning on the message; forged fields of ours go', async () => {
  const forged = 'Authentication-Results: mx.test.example;\n\tspf=pass smtp.mailfrom=bank.example\n'
  const { call, ask } = desk('preset: standard, spam: { tag: 2 }, subject_prefix: "[spam]", dnsbl: { lists: [{ zone: bl.example, weight: 2.5 }] }', forged + LETTER.join('\n') + '\n')
  const zone = { ...GOOD, ...LIST, [listed('bl.example')]: { A: ['127.0.0.2'] } }
  const found = await ask({}, { zone })
  assert.deepEqual([found.action, found.verdict?.tagged, found.verdict?.score], ['accept', true, 2.5])
  assert.ok(found.fields !== undefined)
  assert.ok(found.fields.added.includes(`X-Warning: ${CLIENT} is in a black list at bl.example`))
  assert.ok(found.fields.added.includes('X-Spam-Flag: YES'))
  assert.ok(found.fields.added.includes('Subject: [spam] Hello'))
  assert.deepEqual(found.fields.removed, ['Authentication-Results: mx.test.example;\r\n\tspf=pass smtp.mailfrom=bank.example', 'Subject: Hello'])
  const { out } = await call({}, { zone })
  assert.match(out, /^accepted, tagged as spam\n/)
  assert.match(out, /\nFields removed\n {2}Authentication-Results: mx\.test\.example;\n {2}\tspf=pass smtp\.mailfrom=bank\.example\n {2}Subject: Hello\n$/)
  // A list that lists everybody is not believed.
  const liar = await call({ json: true }, { zone: { ...zone, [listed('bl.example', '127.0.0.1')]: { A: ['127.0.0.2'] } } })
  assert.match(liar.err, /the DNS list is set aside/)
  assert.equal((JSON.parse(liar.out) as Json).verdict?.score, 0)
})

test('line ends, NULs, a missing last line end and the line of an mbox: judged is what would come over SMTP', async () => {
  const crlf = await desk('preset: standard', `${LETTER.join('\r\n')}\r\n`).ask({})
  const variants = [LETTER.join('\n') + '\n', LETTER.join('\n'), LETTER.join('\r'), `${LETTER.join('\r\n')}\r`, `From anna@sender.example Sat Nov 21 10:00:00 2026\n${LETTER.join('\n')}\n`, LETTER.join('\n').replace('text', 't\0ext')]
  for (const variant of variants) {
    const { ask, file } = desk('preset: standard', variant)
    const found = await ask({})
    assert.equal(found.transaction['size'], crlf.transaction['size'], JSON.stringify(variant))
    assert.deepEqual(found.fields, crlf.fields)
    // The same from standard input, byte by byte.
    const bytes = readFileSync(file)
    async function* stdin(): AsyncGenerator<Buffer> {
      for (const byte of bytes) yield await Promise.resolve(Buffer.of(byte))
    }
    assert.deepEqual((await ask({ file: undefined }, { stdin: stdin() })).transaction, found.transaction)
    assert.deepEqual((await ask({ file: '-' }, { stdin: stdin() })).transaction, found.transaction)
  }
})

test('too large, too often relayed, a header section that cannot be looked through', async () => {
  const small = desk('preset: standard', 'X: y\n'.repeat(20_000), 'limits: { message_bytes: 64KiB }\n')
  assert.deepEqual(await small.call({}), { code: 65, out: '', err: 'the message is larger than 65.5 kB, which limits.message_bytes allows: the gateway would not take it' })
  const loop = await desk('preset: standard', 'Received: x\n'.repeat(101) + LETTER.join('\n')).call({ exitCode: true })
  assert.equal(loop.code, 5)
  assert.match(loop.out, /^refused, and not by the policy\n {2}554 5\.4\.6 /)
  const long = await desk('preset: standard', 'X: y\n'.repeat(10_001) + LETTER.join('\n')).call({ exitCode: true })
  assert.equal(long.code, 5)
  assert.match(long.out, /\n {2}554 5\.6\.0 The header section is too long/)
})

test('wrong arguments say what is allowed', async () => {
  const { call } = desk()
  const cases: readonly (readonly [Partial<ScanRequest>, RegExp])[] = [
    [{ ip: 'mail.sender.example' }, /^--ip: mail\.sender\.example is no IP address; allowed: 192\.0\.2\.7, 2001:db8::7$/],
    [{ ip: '192.0.2.256\x1b[2J' }, /^--ip: 192\.0\.2\.256\\x1b\[2J is no IP/],
    [{ helo: 'a b' }, /^--helo: a b is no name; allowed: /],
    [{ from: 'anna' }, /^--from: anna is no address: an address has the form user@domain; allowed: /],
    [{ from: 'a@b.example c' }, /^--from: .* is no address: something stands behind it/],
    [{ rcpt: ['b@other.example'] }, /^--rcpt: b@other\.example is of a domain that the configuration does not take mail for; allowed: an address of hop\.example$/],
    [{ rcpt: ['<>'] }, /^--rcpt: <> is no recipient/],
    [{ rcpt: ['a%b@hop.example'] }, /^--rcpt: a%b@hop\.example has a route in it/],
  ]
  for (const [request, pattern] of cases) {
    const { code, err } = await call(request)
    assert.equal(code, 64, err)
    assert.match(err, pattern)
  }
  const { code, err } = await call({ file: '/nonexistent/message' })
  assert.deepEqual([code, err], [66, '/nonexistent/message: there is no such file'])
  assert.deepEqual([(await call({ file: import.meta.dirname })).code, (await call({ config: 'other.yaml' })).code], [65, 66])
})

test('an exempt client, one of IPv4 in IPv6, one of IPv6', async () => {
  const { call, ask } = desk()
  const { out } = await call({ ip: '127.0.0.1' })
  assert.match(out, /^accepted, nothing was checked {2}\(policy\.exempt holds the client: its mail is passed on as it is\)\n/)
  assert.deepEqual((await ask({ ip: '::1' })).fields, { added: [], removed: [] })
  assert.equal((await ask({ ip: '::ffff:192.0.2.7' })).transaction['client'], '192.0.2.7')
  const six = await ask({ ip: '2001:DB8::7' })
  assert.deepEqual([six.action, six.stage, six.verdict?.by], ['reject', 'greeting', 'rdns'])
})

test('greylisting is told of and remembers nothing; the allow list and the shadow policy count', async () => {
  const grey = desk('preset: standard, early_talker: note, greylist: { action: suspicious }, dnsbl: { lists: [{ zone: bl.example, weight: 1 }] }')
  const zone = { ...GOOD, ...LIST, [listed('bl.example')]: { A: ['127.0.0.2'] } }
  const found = await grey.ask({}, { zone })
  assert.equal(found.action, 'accept')
  assert.deepEqual(found.checks.filter(({ check }) => check === 'greylist').map(({ result, detail }) => [result, detail]), [['none', 'a client that is not known yet would be asked to come back in 5 minutes']])
  assert.equal(existsSync(join(grey.cwd, 'state')), false)
  const allowing = desk('preset: standard, allow: allow.yaml, shadow: shadow.yaml')
  writeFileSync(join(allowing.cwd, 'allow.yaml'), `entries: [{ id: office, match: { address: ${CLIENT} }, scope: all, reason: their office, author: eve, expires: never }]\n`)
  writeFileSync(join(allowing.cwd, 'shadow.yaml'), 'policy: { preset: strict, spf: reject }\n')
  const allowed = await allowing.call({}, { zone: { 'sender.example': { TXT: ['v=spf1 -all'] }, 'mail.sender.example': { A: [CLIENT] } } })
  assert.match(allowed.out, /^accepted\n/)
  assert.match(allowed.out, /\nExcused\n {2}rdns no-ptr \(policy: disconnect\): allow list, office: their office \(address 192\.0\.2\.7\)\n/)
  const shadowed = desk('preset: observe, shadow: shadow.yaml', FORGED)
  writeFileSync(join(shadowed.cwd, 'shadow.yaml'), 'policy: { preset: strict }\n')
  const disagreeing = await shadowed.ask({}, { zone: BANK })
  assert.deepEqual([disagreeing.action, disagreeing.shadow?.action], ['accept', 'reject'])
})

test('exceptions excuse, those of the policy and those of the shadow policy', async () => {
  const exceptions = 'exceptions: [{ checks: [dmarc], when: { client: [192.0.2.0/24] }, reason: their forms }]'
  const excused = await desk(`preset: standard, ${exceptions}`, FORGED).call({}, { zone: BANK })
  assert.match(excused.out, /^accepted\n/)
  assert.match(excused.out, /\nExcused\n {2}dmarc fail .*their forms/)
  const shadowed = desk('preset: standard, shadow: shadow.yaml', FORGED)
  writeFileSync(join(shadowed.cwd, 'shadow.yaml'), `policy: { preset: standard, ${exceptions} }\n`)
  const { action, shadow } = await shadowed.ask({}, { zone: BANK })
  assert.deepEqual([action, shadow?.action], ['reject', 'accept'])
})

test('where no DNS server answers, it says that nothing rests on anything', async () => {
  const { call } = desk()
  const { code, err, out } = await call({}, { zone: { [PTR]: 'timeout', 'sender.example': 'timeout', 'mail.sender.example': 'timeout', '_dmarc.sender.example': 'timeout' } })
  assert.equal(code, 0)
  assert.match(err, /^warning: no DNS server answers/)
  assert.match(out, /iprev {10}temperror/)
})

test('without the address of a client the message alone is judged, and that is said', async () => {
  // A unix socket is exempt: this is no client of one.
  const { call, ask } = desk('preset: strict, spf: reject, exempt: [unix]', FORGED)
  const found = await ask({ ip: undefined, helo: undefined }, { zone: BANK })
  assert.deepEqual([found.action, found.exempt, found.transaction['client']], ['accept', false, 'unknown'])
  const checks = found.checks.map(({ check }) => check)
  for (const check of ['dkim', 'content']) assert.ok(checks.includes(check), check)
  for (const check of ['iprev', 'dnsbl', 'helo', 'spf', 'dmarc']) assert.ok(!checks.includes(check), check)
  assert.match((await call({ ip: undefined, helo: undefined }, { zone: BANK })).out, /nothing is known of the connection \(--ip\): .*SPF and DMARC/)
  assert.equal((await ask({}, { zone: BANK })).action, 'reject')
})
