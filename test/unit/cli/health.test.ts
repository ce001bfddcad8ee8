/** `postern health` against listeners that the test plays, and against a gateway. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { runHealth } from '../../../src/cli/health.ts'
import { CERTIFICATE, PRIVATE_KEY } from '../../support/certificate.ts'

const directory = mkdtempSync(join(tmpdir(), 'postern-health-'))
const servers: Server[] = []
after(() => {
  for (const server of servers) server.close()
  rmSync(directory, { recursive: true, force: true })
})
writeFileSync(join(directory, 'cert.pem'), CERTIFICATE)
writeFileSync(join(directory, 'key.pem'), PRIVATE_KEY, { mode: 0o600 })

async function serve(server: Server): Promise<string> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return `127.0.0.1:${address.port}`
}

const greeting = (text: string) => createServer((socket: Socket) => void socket.on('error', () => undefined).end(text))

async function health(listeners: readonly string[], timeoutMs = 5000): Promise<{ code: number; out: string; err: string }> {
  const file = join(directory, 'postern.yaml')
  const list = listeners.map((more, index) => `  - { name: l${index}, role: inbound, next: h, ${more} }\n`).join('')
  writeFileSync(file, `state: ./state\ndomains: [d.example]\nlisteners:\n${list}hops: { h: { smtp: "192.0.2.9:25" } }\n`)
  let out = ''
  let err = ''
  const code = await runHealth({ config: file }, { environment: {}, cwd: directory, timeoutMs, out: (text) => (out += text), err: (text) => (err += text) })
  return { code, out, err }
}

describe('health', () => {
  test('is 0 where every listener greets, and shows the greetings', async () => {
    const one = await serve(greeting('220 one\r\n'))
    const two = await serve(greeting('220-two\r\n220 more\r\n'))
    const { code, out, err } = await health([`listen: "${one}"`, `listen: "${two}"`])
    assert.equal(err, '')
    assert.equal(code, 0)
    assert.match(out, /^l0 127\.0\.0\.1:\d+: 220 one\nl1 127\.0\.0\.1:\d+: 220-two\n$/)
  })

  test('reaches a wildcard on loopback, and unix sockets', async () => {
    const address = await serve(greeting('220 one\r\n'))
    const path = join(directory, 'socket')
    const server = greeting('220 unix\r\n')
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(path, resolve))
    const { code, out } = await health([`listen: "${address.replace('127.0.0.1', '0.0.0.0')}"`, `listen: "unix:${path}"`])
    assert.equal(code, 0)
    assert.match(out, /220 one[^]*220 unix/)
  })

  test('is 75 where one does not greet as it should', async () => {
    const good = await serve(greeting('220 one\r\n'))
    // A file that is no socket refuses; a port that was free a moment ago may be somebody's by now.
    const refused = `unix:${join(directory, 'no-socket')}`
    writeFileSync(join(directory, 'no-socket'), '')
    for (const [address, pattern] of [
      [await serve(greeting('421 \x1b[2Jtoo busy\r\n')), /it says 421 \\x1b\[2Jtoo busy/],
      [await serve(greeting('')), /without a greeting/],
      [await serve(greeting('HTTP/1.1 400\r\n')), /it says HTTP/],
      [refused, /ECONNREFUSED/],
    ] as const) {
      const { code, out, err } = await health([`listen: "${good}"`, `listen: "${address}"`])
      assert.equal(code, 75)
      assert.match(out, /^l0 /)
      assert.match(err, pattern)
    }
  })

  test('waits no longer than told', async () => {
    const silent = await serve(createServer((socket) => socket.on('error', () => undefined)))
    const { code, err } = await health([`listen: "${silent}"`], 30)
    assert.equal(code, 75)
    assert.match(err, /no greeting within 30 ms/)
    for (const socket of servers) socket.unref()
  })

  test('speaks TLS where that comes first', async () => {
    const address = await serve(createTlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, (socket) => void socket.on('error', () => undefined).end('220 secret\r\n')))
    const tls = `tls: { cert: ${join(directory, 'cert.pem')}, key: ${join(directory, 'key.pem')}, mode: implicit }`
    const { code, out, err } = await health([`listen: "${address}", ${tls}`])
    assert.equal(code, 0, err)
    assert.match(out, /220 secret/)
    const plain = await serve(greeting('220 in clear\r\n'))
    assert.equal((await health([`listen: "${plain}", ${tls}`])).code, 75)
  })

  test('sends a PROXY header where one is expected', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', (chunk) => socket.end(chunk.toString() === 'PROXY UNKNOWN\r\n' ? '220 behind\r\n' : '500 what\r\n'))
    })
    const address = await serve(server)
    const { code, out, err } = await health([`listen: "${address}", trust: { proxy: ["127.0.0.0/8"] }`])
    assert.equal(code, 0, err)
    assert.match(out, /220 behind/)
  })

  test('says what is wrong with the configuration', async () => {
    assert.equal((await health(['listen: "127.0.0.1:0"'])).code, 78)
    assert.equal((await health(['listen: "nonsense"'])).code, 78)
    const io = { environment: {}, cwd: directory, out: () => undefined, err: () => undefined }
    assert.equal(await runHealth({ config: 'none.yaml' }, io), 66)
  })
})
