/** mailauth asks the DNS through our resolver and nothing else, and of the network nothing at all. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import dgram from 'node:dgram'
import dns from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { mock, test } from 'node:test'
import tls from 'node:tls'
import { evaluateDmarc } from '../../../src/auth/dmarc.ts'
import { verifyMessage } from '../../../src/auth/message-authentication.ts'
import { checkSpf } from '../../../src/auth/spf.ts'
import { reverseName, zoneMap } from '../../support/zone-map.ts'
import type { ZoneData } from '../../support/zone-map.ts'
import { MESSAGE, NOW, inPieces, rsaKey, sealed, signed } from './signed-mail.ts'

test('with every door of the runtime to the network watched, all checks go through the resolver', async () => {
  const used: string[] = []
  const watch = (name: string, holder: object): void => {
    for (const [method, value] of Object.entries(holder as Record<string, unknown>)) {
      if (typeof value === 'function' && /^(?:resolve|lookup|reverse|get$|request|connect|createConnection|createSocket)/.test(method)) {
        mock.method(holder as Record<string, () => unknown>, method, () => { used.push(`${name}.${method}`); throw new Error('the network is closed in this test') })
      }
    }
  }
  for (const [name, holder] of Object.entries({ dns, 'dns.promises': dns.promises, http, https, net, tls, dgram })) watch(name, holder)
  mock.method(globalThis, 'fetch', () => { used.push('fetch'); throw new Error('the network is closed in this test') })
  try {
    const key = rsaKey()
    const zone: ZoneData = {
      'example.com': { TXT: ['v=spf1 a mx ptr include:i.example exists:%{p}.x.example -all exp=e.example'], MX: [[1, 'mx.example.com']], A: ['192.0.2.9'] },
      'e.example': { TXT: ['%{r} %{t} %{p}'] },
      'i.example': { TXT: ['v=spf1 -all'] },
      [reverseName('192.0.2.1')]: { PTR: ['h.example'] },
      's._domainkey.example.com': { TXT: [key.record] },
      'arc._domainkey.example.com': { TXT: [key.record] },
      '_dmarc.example.com': { TXT: ['v=DMARC1; p=reject; np=none; rua=mailto:x@other.example,https://x.example/'] },
      'default._bimi.example.com': { TXT: ['v=BIMI1; l=https://x.example/l.svg'] },
    }
    const resolver = zoneMap(zone)
    const spf = await checkSpf({ address: '192.0.2.1', helo: 'h.example', sender: 'a@example.com' }, resolver)
    const message = await sealed(await signed({ key }), { key, domain: 'example.com' })
    const { dkim, arc } = await verifyMessage(inPieces(message), resolver, NOW)
    const dmarc = await evaluateDmarc({ fromDomain: 'nowhere.example.com', spf, dkim: dkim.signatures }, resolver)
    assert.deepEqual([spf.status, dkim.status, arc.status, dmarc.status], ['fail', 'pass', 'pass', 'pass'])
    await verifyMessage(inPieces(MESSAGE), resolver, NOW)
    assert.ok(resolver.queries.length > 10)
    assert.ok(!resolver.queries.some((query) => query.includes('_bimi') || query.includes('_mta-sts')))
    assert.deepEqual(used, [])
  } finally {
    mock.restoreAll()
  }
})

test('nothing is loaded before it is needed, and BIMI, MTA-STS and their HTTP client never', () => {
  const script = `
    import { createRequire } from 'node:module'
    const { cache } = createRequire(import.meta.url)
    const { mailauth } = await import('./src/auth/mailauth-library.ts')
    for (const name of ['spf', 'dkim', 'dmarc', 'arc', 'message-authentication']) await import('./src/auth/' + name + '.ts')
    const before = Object.keys(cache).filter((file) => file.includes('/mailauth/')).length
    mailauth()
    const files = Object.keys(cache)
    console.log(JSON.stringify({ before, after: files.filter((file) => file.includes('/mailauth/lib/')).length > 10, unwanted: files.filter((file) => /\\/(?:undici|bimi|mta-sts|fast-xml-parser)\\b/.test(file)) }))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: new URL('../../..', import.meta.url), encoding: 'utf8' })
  assert.deepEqual(JSON.parse(stdout || 'null'), { before: 0, after: true, unwanted: [] }, stderr)
})
