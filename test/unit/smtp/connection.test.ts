/** The socket driver over real loopback sockets: PROXY headers and TLS. Time is injected: nothing sleeps. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { CERTIFICATE_NAME } from '../../support/certificate.ts'
import { directory, stage, until } from '../../support/loopback-server.ts'

const LETTER = { to: 'b@hop.example', from: 'a@client.example', data: Buffer.from('Subject: x\r\n\r\ntext\r\n') }

/* --- PROXY --- */

const HEADER = Buffer.from('PROXY TCP4 198.51.100.9 192.0.2.1 4321 25\r\n')

test('PROXY: nothing is said before the header; the client is who it names, at every split point', async () => {
  const { raw, messages, server } = await stage({ proxy: true })
  for (let cut = 1; cut <= HEADER.length; cut += 7) {
    const client = await raw()
    client.socket.write(HEADER.subarray(0, cut))
    await until('accepted', () => server.sessions > 0)
    if (cut < HEADER.length) assert.equal(client.text(), '')
    client.socket.write(Buffer.concat([HEADER.subarray(cut), Buffer.from('HELO a\r\nMAIL FROM:<a@client.example>\r\nQUIT\r\n')]))
    await client.ended
    client.socket.end()
    assert.match(client.text(), /^220 /)
    assert.equal(messages().at(-1)?.['client'], '198.51.100.9')
    await until('gone', () => server.sessions === 0)
  }
})

test('PROXY: malformed or missing, the connection is closed without a word', async () => {
  const { raw, logged } = await stage({ proxy: true })
  const client = await raw()
  client.socket.write('EHLO a\r\n')
  await client.ended
  client.socket.destroy()
  assert.equal(client.text(), '')
  assert.ok(logged.some(([, text]) => text.startsWith('no usable PROXY header')))
})

test('PROXY: a header that does not come is waited for no longer than a handshake', async () => {
  const { raw, wait, server } = await stage({ proxy: true })
  const client = await raw()
  client.socket.write(HEADER.subarray(0, 10))
  await until('accepted', () => server.sessions === 1)
  wait(29_999)
  assert.equal(server.sessions, 1)
  wait(1)
  await client.ended
  client.socket.destroy()
  assert.equal(client.text(), '')
})

test('PROXY: a peer that is not trusted sends only an unknown command', async () => {
  const { raw } = await stage()
  const client = await raw()
  client.socket.write(Buffer.concat([HEADER, Buffer.from('QUIT\r\n')]))
  await client.ended
  client.socket.end()
  assert.match(client.text(), /^220 [^\n]*\n500 5\.5\.1 Unknown command\r\n221 /)
})

test('PROXY: whom the proxy speaks for gains nothing from the trust in the proxy', async () => {
  const { raw } = await stage({ proxy: true, xclient: (address) => address === '127.0.0.1' })
  const stranger = await raw()
  stranger.socket.write(Buffer.concat([HEADER, Buffer.from('EHLO a\r\nXCLIENT ADDR=127.0.0.1\r\nQUIT\r\n')]))
  await stranger.ended
  stranger.socket.end()
  assert.doesNotMatch(stranger.text(), /XCLIENT/)
  assert.match(stranger.text(), /\r\n550 /)
})

test('clients that are refused, and stay half open, keep nobody else out', async () => {
  const { raw, server, wait } = await stage({ proxy: true, limits: { sessions: 2, sessionsPerNetwork: 1 } })
  const from = (address: string) => HEADER.toString().replace('198.51.100.9', address)
  const greeted = await raw()
  greeted.socket.write(from('198.51.100.1'))
  await until('greeted', () => greeted.text().startsWith('220'))
  const refused = []
  for (let i = 0; i < 4; i++) {
    const one = await raw()
    one.socket.write(from('198.51.100.2'))
    await one.ended
    refused.push(one)
  }
  // Two may linger to read why; further ones are closed at once.
  await until('the others are gone', () => server.sessions === 3)
  const other = await raw()
  other.socket.write(from('203.0.113.9'))
  await until('greeted', () => other.text().startsWith('220'))
  wait(2000)
  await until('all of the refused are gone', () => server.sessions === 2)
  for (const client of [greeted, other, ...refused]) client.socket.destroy()
})

test('PROXY: limits count the client, not the proxy', async () => {
  const { raw, server } = await stage({ proxy: true, limits: { sessionsPerNetwork: 1 } })
  const first = await raw()
  first.socket.write(HEADER)
  await until('greeted', () => first.text() !== '')
  const second = await raw()
  second.socket.write(HEADER)
  await second.ended
  second.socket.end()
  assert.equal(second.text(), '421 4.7.0 Too many sessions from your network, try again later\r\n')
  const other = await raw()
  other.socket.write(HEADER.toString().replace('198.51.100.9', '203.0.113.9'))
  await until('greeted', () => other.text().startsWith('220'))
  first.socket.destroy()
  await until('gone', () => server.sessions === 1)
  const third = await raw()
  third.socket.write(HEADER)
  await until('greeted', () => third.text().startsWith('220'))
  for (const client of [other, third]) client.socket.destroy()
})

/* --- TLS --- */

test('STARTTLS with TLS 1.2 and 1.3; the session goes on, and knows it', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { open, messages } = await stage({ tls: 'starttls' })
    const client = await open()
    await client.hello()
    await client.startTls({ minVersion: version, maxVersion: version })
    assert.ok(!(await client.command('EHLO again', 250)).lines.includes('STARTTLS'))
    assert.equal((await client.message(LETTER)).status, 250)
    await client.quit()
    assert.equal(messages()[0]?.['tls'], version)
  }
})

test('TLS 1.1 and older are refused', async () => {
  const { open, server } = await stage({ tls: 'starttls' })
  for (const version of ['TLSv1', 'TLSv1.1'] as const) {
    const client = await open()
    await client.hello()
    await assert.rejects(client.startTls({ minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' }))
    client.close()
  }
  await until('gone', () => server.sessions === 0)
})

test('SNI: the certificate of the name that is asked for, or the first', { skip: spawnSync('openssl', ['version']).status === 0 ? false : 'there is no openssl' }, async () => {
  const other = { cert: join(directory, 'other.crt'), key: join(directory, 'other.key') }
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=other.example',
    '-addext', 'subjectAltName=DNS:other.example', '-keyout', other.key, '-out', other.cert], { stdio: 'ignore' })
  const { open } = await stage({ tls: 'starttls', certificates: [other] })
  for (const [servername, expected] of [['other.example', 'other.example'], [CERTIFICATE_NAME, CERTIFICATE_NAME], ['unknown.example', CERTIFICATE_NAME]] as const) {
    const client = await open()
    await client.hello()
    await client.startTls({ servername })
    assert.ok(client.socket instanceof TLSSocket)
    assert.equal(client.socket.getPeerCertificate().subject.CN, expected)
    await client.command('EHLO again', 250)
    await client.quit()
  }
})

test('STARTTLS: commands in clear behind it, in the same packet, are thrown away', async () => {
  const { address, hop } = await stage({ tls: 'starttls' })
  const socket = connect({ port: (address as { port: number }).port, host: '127.0.0.1' })
  let clear = ''
  const ready = new Promise<void>((resolve) => {
    socket.on('data', (piece: Buffer) => {
      clear += piece.toString('latin1')
      if (clear.includes('Ready to start TLS\r\n')) resolve()
    })
  })
  socket.write('EHLO a\r\nSTARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@client.example>\r\nRCPT TO:<b@hop.example>\r\nDATA\r\n')
  await ready
  socket.removeAllListeners('data')
  const secure = connectTls({ socket, rejectUnauthorized: false })
  await new Promise<void>((resolve) => secure.once('secureConnect', () => resolve()))
  let text = ''
  secure.on('data', (piece: Buffer) => (text += piece.toString('latin1')))
  secure.write('RCPT TO:<b@hop.example>\r\nQUIT\r\n')
  await new Promise<void>((resolve) => secure.once('end', () => resolve()))
  secure.end()
  assert.equal(text, '503 5.5.1 MAIL first\r\n221 2.0.0 Bye\r\n')
  assert.deepEqual(hop.events, [])
})

test('STARTTLS: a client that pipelines more than it reads, and then asks for TLS', async () => {
  const { address } = await stage({ tls: 'starttls' })
  const socket = connect({ port: (address as { port: number }).port, host: '127.0.0.1' })
  socket.pause()
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  const count = 20_000
  socket.write('HELP\r\n'.repeat(count) + 'STARTTLS\r\n')
  let clear = ''
  const ready = new Promise<void>((resolve) => {
    socket.on('data', (piece: Buffer) => {
      clear += piece.toString('latin1')
      if (clear.endsWith('Ready to start TLS\r\n')) resolve()
    })
  })
  socket.resume()
  await ready
  assert.equal(clear.split('214 2.0.0').length - 1, count)
  socket.removeAllListeners('data')
  const secure = connectTls({ socket, rejectUnauthorized: false })
  await new Promise<void>((resolve, reject) => {
    secure.once('secureConnect', () => resolve())
    secure.once('error', reject)
  })
  const reply = new Promise<string>((resolve) => secure.once('data', (piece: Buffer) => resolve(piece.toString('latin1'))))
  secure.write('NOOP\r\n')
  assert.equal(await reply, '250 2.0.0 OK\r\n')
  secure.destroy()
})

test('implicit TLS: the greeting comes under it', async () => {
  const { address, messages } = await stage({ tls: 'implicit' })
  const secure = connectTls({ port: (address as { port: number }).port, host: '127.0.0.1', rejectUnauthorized: false })
  let text = ''
  secure.on('data', (piece: Buffer) => (text += piece.toString('latin1')))
  secure.write('EHLO a\r\nMAIL FROM:<a@client.example>\r\nQUIT\r\n')
  await new Promise<void>((resolve) => secure.once('end', () => resolve()))
  secure.end()
  assert.match(text, /^220 mx\.example /)
  assert.ok(!text.includes('STARTTLS'))
  assert.equal(messages()[0]?.['tls'], 'TLSv1.3')
})

test('implicit TLS behind a PROXY header, in one packet with the hello', async () => {
  const { address, messages } = await stage({ tls: 'implicit', proxy: true })
  // Stands between the two and puts the header before the client's first bytes.
  const between = createServer((near) => {
    const far = connect({ port: (address as { port: number }).port, host: '127.0.0.1' })
    near.once('data', (hello: Buffer) => {
      far.write(Buffer.concat([HEADER, hello]))
      near.pipe(far)
    })
    far.pipe(near)
  })
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', () => resolve()))
  const secure = connectTls({ port: (between.address() as AddressInfo).port, host: '127.0.0.1', rejectUnauthorized: false })
  let text = ''
  secure.on('data', (piece: Buffer) => (text += piece.toString('latin1')))
  secure.write('HELO a\r\nMAIL FROM:<a@client.example>\r\nQUIT\r\n')
  await new Promise<void>((resolve) => secure.once('end', () => resolve()))
  secure.end()
  between.close()
  assert.match(text, /^220 .*\r\n250 .*\r\n250 .*\r\n221 /)
  assert.deepEqual([messages()[0]?.['client'], messages()[0]?.['tls']], ['198.51.100.9', 'TLSv1.3'])
})

test('a handshake that does not come, or is none, ends', async () => {
  const { raw, wait, server } = await stage({ tls: 'implicit' })
  const silent = await raw()
  await until('accepted', () => server.sessions === 1)
  wait(29_999)
  assert.equal(server.sessions, 1)
  wait(1)
  await silent.ended
  silent.socket.destroy()
  assert.equal(silent.text(), '')
  const wrong = await raw()
  wrong.socket.write('EHLO a\r\n')
  await wrong.ended
  wrong.socket.destroy()
  await until('gone', () => server.sessions === 0)
})

test('a STARTTLS handshake that does not come ends', async () => {
  const { raw, wait, server } = await stage({ tls: 'starttls' })
  const client = await raw()
  client.socket.write('EHLO a\r\nSTARTTLS\r\n')
  await until('ready', () => client.text().endsWith('Ready to start TLS\r\n'))
  wait(29_999)
  assert.equal(server.sessions, 1)
  wait(1)
  await client.ended
  client.socket.destroy()
  await until('gone', () => server.sessions === 0)
})
