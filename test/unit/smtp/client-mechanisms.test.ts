/** The examples of the RFCs, and servers that do not keep to them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginExchange, Fault, prepared, type ClientExchange } from '../../../src/smtp/client-mechanisms.ts'

const answer = async (exchange: ClientExchange, challenge: string): Promise<string> => {
  const said = await exchange.answer(Buffer.from(challenge, 'utf8'))
  return said instanceof Fault ? `fault: ${said.detail}` : said.toString('utf8')
}

const NONCE = 'rOprNGfwEbeRWgbNEkqO'
const scram = (user = 'user', password = 'pencil', channelBinding?: Buffer) =>
  beginExchange(channelBinding === undefined ? 'SCRAM-SHA-256' : 'SCRAM-SHA-256-PLUS', { login: { user, password }, channelBinding, nonce: NONCE })
const FIRST = `r=${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`

test('SCRAM-SHA-256: the example of RFC 7677 §3', async () => {
  const exchange = scram()
  assert.equal(exchange.initial?.toString(), `n,,n=user,r=${NONCE}`)
  assert.equal(await answer(exchange, FIRST), `c=biws,r=${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`)
  assert.equal(exchange.finished, false)
  assert.equal(await answer(exchange, 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='), '')
  assert.equal(exchange.finished, true)
  assert.match(await answer(exchange, 'v=x'), /^fault: a challenge after the end/)
})

test('SCRAM: a server that does not know the password is not believed', async () => {
  for (const final of ['v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95H4=', 'v=', 'v=AAAA', '', 'x', 'm=1']) {
    const exchange = scram()
    await answer(exchange, FIRST)
    assert.match(await answer(exchange, final), /^fault: the server does not know our password/, final)
    assert.equal(exchange.finished, false)
  }
})

test('SCRAM: an error of the server is answered, for its refusal to come; it is no success', async () => {
  const exchange = scram()
  await answer(exchange, FIRST)
  assert.equal(await answer(exchange, 'e=invalid-proof'), '')
  assert.equal(exchange.finished, false)
})

test('SCRAM: first messages that make no sense, or that keep us busy', async () => {
  for (const [first, why] of [
    ['', 'malformed'], ['r=x,s=AAAA,i=4096', 'another nonce'], [`r=${NONCE},s=AAAA,i=4096`, 'another nonce'], [`r=${NONCE}x,s=AAAA`, 'malformed'],
    [`r=${NONCE}x,s=,i=4096`, 'malformed'], [`r=${NONCE}x,s=AAAA,i=0`, 'malformed'], [`r=${NONCE}x,s=AAAA,i=-1`, 'malformed'], [`r=${NONCE}x,s=AAAA,i=1e9`, 'malformed'],
    [`r=${NONCE}x,s=AAAA,i=4095`, '4095 iterations'], [`r=${NONCE}x,s=AAAA,i=1000001`, '1000001 iterations'], [`m=x,r=${NONCE}x,s=AAAA,i=4096`, 'malformed'],
  ] as const) assert.ok((await answer(scram(), first)).startsWith('fault: ') && (await answer(scram(), first)).includes(why), first)
})

test('SCRAM-SHA-256-PLUS binds to the channel', async () => {
  const exchange = scram('user', 'pencil', Buffer.from('unique'))
  assert.equal(exchange.initial?.toString(), `p=tls-exporter,,n=user,r=${NONCE}`)
  const bound = Buffer.from('p=tls-exporter,,unique').toString('base64')
  assert.ok((await answer(exchange, FIRST)).startsWith(`c=${bound},r=${NONCE}`))
})

test('SCRAM: names are prepared and escaped', () => {
  assert.equal(scram('a=b,c').initial?.toString(), `n,,n=a=3Db=2Cc,r=${NONCE}`)
  assert.equal(scram('I\u00adX\u00a0\u2168').initial?.toString('utf8'), `n,,n=IX IX,r=${NONCE}`)
  assert.equal(prepared('\u00aa'), 'a')
})

test('each exchange has a nonce of its own', () => {
  const first = () => beginExchange('SCRAM-SHA-256', { login: { user: 'u', password: 'p' }, channelBinding: undefined }).initial?.toString()
  assert.notEqual(first(), first())
})

test('CRAM-MD5: the example of RFC 2195 §2', async () => {
  const exchange = beginExchange('CRAM-MD5', { login: { user: 'tim', password: 'tanstaaftanstaaf' }, channelBinding: undefined })
  assert.equal(exchange.initial, null)
  assert.equal(await answer(exchange, '<1896.697170952@postoffice.reston.mci.net>'), 'tim b913a602c7eda7a495b4e6e7334d3890')
  assert.match(await answer(exchange, 'again'), /^fault: /)
})

test('PLAIN and LOGIN, in UTF-8', async () => {
  const login = { user: 'jörg', password: 'geheim€' }
  const plain = beginExchange('PLAIN', { login, channelBinding: undefined })
  assert.equal(plain.initial?.toString('utf8'), '\0jörg\0geheim€')
  assert.match(await answer(plain, ''), /^fault: /)
  const dialogue = beginExchange('LOGIN', { login, channelBinding: undefined })
  assert.equal(dialogue.initial, null)
  assert.equal(await answer(dialogue, 'Username:'), 'jörg')
  assert.equal(await answer(dialogue, 'Password:'), 'geheim€')
  assert.match(await answer(dialogue, 'Shoe size:'), /^fault: /)
})
