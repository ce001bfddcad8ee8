/** Certificates are made by openssl for the test; where there is no openssl it reports itself as skipped. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Log } from '../../../src/observe/log.ts'
import { TlsContexts, type CertificatePair } from '../../../src/smtp/tls-contexts.ts'

const directory = mkdtempSync(join(tmpdir(), 'postern-tls-'))
after(() => rmSync(directory, { recursive: true }))
const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'there is no openssl'

function makeCertificate(file: string, ...names: readonly string[]): CertificatePair {
  const pair = { cert: join(directory, `${file}.crt`), key: join(directory, `${file}.key`) }
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=test',
    '-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`, '-keyout', pair.key, '-out', pair.cert], { stdio: 'ignore' })
  return pair
}

function makeLog() {
  const lines: string[] = []
  const keep = (level: string) => (_: unknown, text: string) => void lines.push(`${level}: ${text}`)
  const log: Log = { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') }
  return { log, lines }
}

let clock = 1_700_000_000
/** Puts the files of one pair in the place of another; the change can be seen by its time. */
function replace(place: CertificatePair, by: Partial<CertificatePair>): void {
  clock += 10
  for (const kind of ['cert', 'key'] as const) {
    const from = by[kind]
    if (from === undefined) continue
    copyFileSync(from, place[kind])
    utimesSync(place[kind], clock, clock)
  }
}

test('names choose the certificate; the first is for all others', { skip }, async () => {
  const { log } = makeLog()
  const contexts = await TlsContexts.load([makeCertificate('a', 'a.example'), makeCertificate('b', 'b.example', '*.wild.example')], log)
  const b = contexts.select('b.example')
  assert.notEqual(b, contexts.default)
  assert.equal(contexts.select('x.wild.example'), b)
  assert.equal(contexts.select('B.Example'), b)
  for (const name of ['a.example', 'c.example', 'x.y.wild.example', '', '..', '*']) assert.equal(contexts.select(name), contexts.default, name)
})

test('files that do not change are not read again', { skip }, async () => {
  const { log, lines } = makeLog()
  const contexts = await TlsContexts.load([makeCertificate('still', 'a.example')], log)
  const before = contexts.default
  await contexts.refresh()
  assert.equal(contexts.default, before)
  assert.deepEqual(lines, [])
})

test('a new certificate and key are taken over', { skip }, async () => {
  const { log, lines } = makeLog()
  const place = makeCertificate('place', 'old.example')
  const contexts = await TlsContexts.load([place], log)
  const before = contexts.default
  replace(place, makeCertificate('fresh', 'new.example'))
  await contexts.refresh()
  assert.notEqual(contexts.default, before)
  assert.deepEqual(lines, ['info: certificate reloaded'])
  await contexts.refresh()
  assert.equal(lines.length, 1)
})

test('half a change keeps the old, says so once, and is mended by the other half', { skip }, async () => {
  const { log, lines } = makeLog()
  const place = makeCertificate('half', 'old.example')
  const fresh = makeCertificate('half-fresh', 'new.example')
  const contexts = await TlsContexts.load([place], log)
  const before = contexts.default
  replace(place, { cert: fresh.cert })
  for (let i = 0; i < 3; i++) await contexts.refresh()
  assert.equal(contexts.default, before)
  assert.deepEqual(lines, ['error: certificate cannot be reloaded, the old one stays'])
  replace(place, { key: fresh.key })
  await contexts.refresh()
  assert.notEqual(contexts.default, before)
  assert.deepEqual(lines.slice(1), ['info: certificate reloaded'])
})

test('a file that is gone, or no certificate, keeps the old', { skip }, async () => {
  const { log, lines } = makeLog()
  const place = makeCertificate('gone', 'old.example')
  const contexts = await TlsContexts.load([place], log)
  const before = contexts.default
  unlinkSync(place.cert)
  await contexts.refresh()
  writeFileSync(place.cert, 'no certificate')
  await contexts.refresh()
  assert.equal(contexts.default, before)
  assert.ok(lines.length >= 1 && lines.every((line) => line.startsWith('error: ')))
})

test('several refreshes at once are one', { skip }, async () => {
  const { log, lines } = makeLog()
  const place = makeCertificate('once', 'old.example')
  const contexts = await TlsContexts.load([place], log)
  replace(place, makeCertificate('once-fresh', 'new.example'))
  await Promise.all([contexts.refresh(), contexts.refresh(), contexts.refresh()])
  assert.deepEqual(lines, ['info: certificate reloaded'])
})

test('files that cannot be used at the start are an error that names them', { skip }, async () => {
  const { log } = makeLog()
  const good = makeCertificate('good', 'a.example')
  const other = makeCertificate('other', 'a.example')
  await assert.rejects(TlsContexts.load([{ cert: good.cert, key: other.key }], log), (error: Error) => error.message.includes(good.cert) && error.message.includes(other.key))
  await assert.rejects(TlsContexts.load([{ cert: join(directory, 'nothing.crt'), key: good.key }], log), /nothing\.crt/)
})
