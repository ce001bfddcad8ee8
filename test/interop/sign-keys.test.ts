/**
 * Keys of a gateway that runs: before their record is published, while the DNS
 * is away, with files that others could read, changed by SIGHUP, and in several
 * workers.
 */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { workersOf } from '../support/gateway.ts'
import { freePort } from '../support/ports.ts'
import { missing } from '../support/peers/programs.ts'
import { run, temporaryDirectory, until } from '../support/process.ts'
import { signatureFields, tag, writeKey } from '../support/signature-check.ts'
import { Dialog } from '../support/smtp-dialog.ts'
import { letter, reload, startSigner, type Signer, type SignerOptions } from '../support/signing-stage.ts'
import { takeReceived } from '../support/trace-fields.ts'

const MAIN = process.env['POSTERN_MAIN'] ?? join(import.meta.dirname, '../../src/main.ts')
const FIRST = 's1._domainkey.home.example'
const SECOND = 's2._domainkey.home.example'
const skip = missing('swaks', 'opendkim', 'dkimsign')

type Mapping = Readonly<Record<string, unknown>>

function keyOf(name: string, file: (name: string) => string): Mapping {
  const [selector = '', domain = ''] = name.split('._domainkey.')
  return { domain, selector, key: file(name) }
}

async function withSigner(options: SignerOptions, work: (signer: Signer) => Promise<void>): Promise<void> {
  const signer = await startSigner(options)
  try {
    await work(signer)
  } finally {
    await signer.stop()
  }
}

/** Sends, and asserts that it was signed with these selectors, or not taken at all: 451. */
async function signsWith(signer: Signer, selectors: readonly string[] | '451', author = 'anna@home.example'): Promise<void> {
  const sent = await signer.swaks(letter(author))
  if (selectors === '451') {
    assert.match(sent.last, /^451 4\.7\.0 The message cannot be signed at the moment, try again later \(\w+\)/, sent.output)
    assert.equal(signer.sink.messages.length, 0)
    return
  }
  assert.match(sent.last, /^250 /, `${sent.output}\n${signer.gateway.output()}`)
  await signer.signatures.passes((await signer.arrived()).data, selectors)
}

describe('require_published', { skip }, () => {
  const required: Pick<SignerOptions, 'keys' | 'signing'> = { keys: [FIRST], signing: (file) => ({ require_published: true, keys: [keyOf(FIRST, file)] }) }

  test('mail waits while the record is not there, or is that of another key; it is signed once it is, without a restart', async () => {
    await withSigner({ ...required, published: [], dns: { negativeTtlSeconds: 0, ttlSeconds: 0 } }, async (signer) => {
      await signer.gateway.logged('the missing record', ({ msg, published }) => msg === 'DKIM key is not published as it signs' && published === 'missing')
      await signsWith(signer, '451')
      await signer.gateway.logged('why', ({ msg, signed }) => msg === 'message' && /require_published: s1\._domainkey\.home\.example has no TXT record/.test(String(signed)))
      assert.match((await signer.swaks(letter('x@elsewhere.example'))).last, /^250 /, 'others need not wait')
      assert.equal(signatureFields((await signer.arrived()).data).length, 0)
      const asked = (): number => signer.dns.queries.filter((query) => query.startsWith(`${FIRST} TXT`)).length
      // Whoever has published it says so by a reload, and need not wait for the next look.
      signer.dns.set(FIRST, { TXT: [writeKey(join(signer.directory, 'another.pem')).record] })
      let before = asked()
      assert.equal(await reload(signer.gateway), 'reloaded')
      await until('the record is asked for', () => asked() > before)
      await signer.gateway.logged('the other key', ({ published }) => published === 'mismatch')
      await signsWith(signer, '451')
      signer.publish(FIRST)
      before = asked()
      assert.equal(await reload(signer.gateway), 'reloaded')
      await until('the record is asked for', () => asked() > before)
      await signer.gateway.logged('the right key', ({ msg }) => msg === 'DKIM key is published as it signs again')
      await signsWith(signer, ['s1'])
    })
  })

  test('a DNS that does not answer yet: mail waits, and not longer than the answer does', async () => {
    await withSigner({ ...required, heldDns: true }, async (signer) => {
      await signer.dns.asked(FIRST)
      await signsWith(signer, '451')
      await signer.gateway.logged('why', ({ msg, signed }) => msg === 'message' && /s1\._domainkey\.home\.example has not been asked for yet/.test(String(signed)))
      signer.dns.misbehave('*', undefined)
      assert.ok(signer.dns.release() > 0)
      await signer.gateway.logged('the record', ({ msg }) => msg === 'DKIM key is published')
      await signsWith(signer, ['s1'])
    })
  })

  test('an outage does not stop a key that was seen, and a reload does not either', async () => {
    await withSigner({ ...required, dns: { ttlSeconds: 0 } }, async (signer) => {
      await signer.gateway.logged('the record', ({ msg }) => msg === 'DKIM key is published')
      await signsWith(signer, ['s1'])
      await signer.dns.die()
      await signsWith(signer, ['s1'])
      assert.equal(await reload(signer.gateway), 'reloaded')
      await signsWith(signer, ['s1'])
    })
  })

  test('on_error: unsigned lets it go without; and without require_published a key signs whatever the DNS says', async () => {
    await withSigner({ ...required, published: [], signing: (file) => ({ require_published: true, on_error: 'unsigned', keys: [keyOf(FIRST, file)] }) }, async (signer) => {
      assert.match((await signer.swaks(letter('anna@home.example'))).last, /^250 /)
      assert.equal(takeReceived((await signer.arrived()).data).rest.toString('latin1'), letter('anna@home.example'))
      await reload(signer.gateway, (whole) => ({ ...whole, signing: { ...(whole['signing'] as Mapping), require_published: false } }))
      await signsWith(signer, ['s1'])
    })
  })
})

describe('key files', { skip }, () => {
  function configurationOf(signing: Mapping, port: number): string {
    const directory = temporaryDirectory('refused')
    mkdirSync(join(directory, 'state'))
    const file = join(directory, 'postern.yaml')
    writeFileSync(file, JSON.stringify({ state: join(directory, 'state'), workers: 0, signing, listeners: [{ name: 'sign', role: 'outbound', listen: `127.0.0.1:${port}`, next: 'hop' }], hops: { hop: { smtp: '127.0.0.1:9' } } }))
    return file
  }

  test('that others can read: no start, exit code 78, and what to do', async () => {
    const directory = temporaryDirectory('loose')
    const key = join(directory, 'home.example.pem')
    writeKey(key)
    writeFileSync(join(directory, 'keys'), `k home.example:s1:${key}\n`)
    writeFileSync(join(directory, 'signing'), '*@home.example k\n')
    const sources: readonly Mapping[] = [
      { keys: [{ domain: 'home.example', selector: 's1', key }] },
      { directory, selector: 's1' },
      { key_table: join(directory, 'keys'), signing_table: `refile:${join(directory, 'signing')}` },
    ]
    for (const signing of sources) {
      for (const [mode, words] of [[0o644, 'is open to every user of the machine (mode 0644)'], [0o620, 'can be changed by its group (mode 0620']] as const) {
        chmodSync(key, mode)
        const { code, output } = await run([process.execPath, MAIN, 'run', '--config', configurationOf(signing, await freePort())])
        assert.equal(code, 78, output)
        assert.ok(output.includes(key) && output.includes(words) && output.includes('chmod 600'), output)
        assert.doesNotMatch(output, /PRIVATE KEY|\bat .*\.ts:\d/)
      }
    }
  })

  test('that is opened, or broken, while we run: a reload says so, and the old keys go on', async () => {
    await withSigner({ keys: [FIRST], signing: (file) => ({ keys: [keyOf(FIRST, file)] }) }, async (signer) => {
      chmodSync(signer.file(FIRST), 0o644)
      assert.equal(await reload(signer.gateway), 'refused')
      await signer.gateway.logged('the complaint', ({ level, cause }) => level === 'error' && String(cause).includes(signer.file(FIRST)) && String(cause).includes('mode 0644'))
      await signsWith(signer, ['s1'])
      chmodSync(signer.file(FIRST), 0o600)
      writeFileSync(signer.file(FIRST), '-----BEGIN PRIVATE KEY-----\nbm90aGluZw==\n-----END PRIVATE KEY-----\n')
      assert.equal(await reload(signer.gateway), 'refused')
      await signsWith(signer, ['s1'])
    })
  })
})

describe('SIGHUP', { skip }, () => {
  test('another key signs from the next message on, in sessions that are open too', async () => {
    await withSigner({ keys: [FIRST, SECOND], signing: (file) => ({ keys: [keyOf(FIRST, file)] }) }, async (signer) => {
      await signsWith(signer, ['s1'])
      const dialog = await Dialog.open({ port: signer.port })
      await dialog.hello()
      assert.equal(await reload(signer.gateway, (whole) => ({ ...whole, signing: { keys: [keyOf(SECOND, signer.file)] } })), 'reloaded')
      await signsWith(signer, ['s2'])
      const reply = await dialog.message({ from: 'anna@home.example', to: 'alice@hop.example', data: Buffer.from(letter('anna@home.example'), 'latin1') })
      assert.equal(reply.status, 250, reply.text)
      await dialog.quit()
      await signer.signatures.passes((await signer.arrived()).data, ['s2'])
    })
  })

  test('of two keys of one kind the one whose record is there signs', async () => {
    await withSigner({ keys: [FIRST, SECOND], published: [SECOND], signing: (file) => ({ keys: [keyOf(FIRST, file), keyOf(SECOND, file)] }) }, async (signer) => {
      const published = ({ selector, published: state }: Mapping): boolean => (selector === 's1' && state === 'missing') || (selector === 's2' && state === 'matches')
      await until('both are asked for', () => signer.gateway.log().filter(published).length === 2, { detail: () => signer.gateway.output() })
      await signsWith(signer, ['s2'])
    })
  })
})

describe('workers', { skip }, () => {
  const AT_ONCE = 24

  test('each signs, and each takes the new key', async () => {
    await withSigner({ keys: [FIRST, SECOND, 'ed1._domainkey.home.example'], signing: (file) => ({ keys: [keyOf(FIRST, file)] }), root: { workers: 2 } }, async (signer) => {
      assert.equal(workersOf(signer.gateway.pid).length, 2)
      await atBoth(signer, ['s1'])
      const names = [SECOND, 'ed1._domainkey.home.example']
      assert.equal(await reload(signer.gateway, (whole) => ({ ...whole, signing: { keys: names.map((name) => keyOf(name, signer.file)) } })), 'reloaded')
      await atBoth(signer, ['s2', 'ed1'])
    })
  })

  /** Many sessions at once; both workers have to have had some. */
  async function atBoth(signer: Signer, selectors: readonly string[]): Promise<void> {
    const written = selectors.map((selector) => `home.example:${selector} ${selector.startsWith('ed') ? 'ed25519-sha256' : 'rsa-sha256'}`).join(', ')
    const workers = (): number => new Set(signer.gateway.log().filter(({ msg, signed }) => msg === 'message' && signed === written).map(({ pid }) => pid)).size
    await until(`both workers have signed with ${written}`, async () => {
      await Promise.all(Array.from({ length: AT_ONCE }, async (_, i) => {
        const dialog = await Dialog.open({ port: signer.port })
        await dialog.hello()
        const reply = await dialog.message({ from: 'anna@home.example', to: 'alice@hop.example', data: Buffer.from(letter('anna@home.example').replace('One line.', `Line ${i}.`), 'latin1'), chunked: i % 2 === 0 })
        assert.equal(reply.status, 250, reply.text)
        await dialog.quit()
      }))
      const messages = signer.sink.take()
      assert.equal(messages.length, AT_ONCE)
      for (const { data } of messages) await signer.signatures.passes(data, selectors)
      return workers() === 2
    }, { detail: () => signer.gateway.output() })
  }

  test('a large message, and one that the client sends in many pieces, are signed alike', async () => {
    await withSigner({ keys: [FIRST], signing: (file) => ({ keys: [keyOf(FIRST, file)] }), root: { workers: 2 } }, async (signer) => {
      const body = 'A line of some length, repeated.\r\n'.repeat(120_000)
      const data = Buffer.from(letter('anna@home.example') + body, 'latin1')
      for (const chunked of [false, true]) {
        const dialog = await Dialog.open({ port: signer.port })
        await dialog.hello()
        assert.equal((await dialog.message({ from: 'anna@home.example', to: 'alice@hop.example', data, chunked })).status, 250)
        await dialog.quit()
        const message = await signer.arrived()
        await signer.signatures.passes(message.data, ['s1'])
        assert.ok(message.data.subarray(-data.length).equals(data))
        assert.equal(tag(signatureFields(message.data)[0] ?? '', 'l'), '')
      }
    })
  })
})
