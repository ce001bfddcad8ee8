/**
 * What a DKIM signature may be besides correct, crossed with OpenDKIM,
 * Mail::DKIM, dkimpy and mailauth: broken, on one message with those of others,
 * over fields put on top, with `l=`, `i=`, `x=`, over very many fields; and which
 * peer knows Ed25519. A peer that says "pass" to everything would be found here.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MessageSigner } from '../../src/auth/dkim/message-signer.ts'
import type { SigningEnd } from '../../src/auth/dkim/message-signer.ts'
import type { SigningOrder } from '../../src/auth/dkim/signing-order.ts'
import { PEERS, bentByOpenDkim, startPeer } from '../support/dkim-comparison.ts'
import type { PeerName } from '../support/dkim-comparison.ts'
import { FORMS, crossKeys, failuresAt, failuresHere, inWords, orderOf, signedByPeer, signedByUs, verifiedByUs } from '../support/dkim-cross.ts'
import type { Form } from '../support/dkim-cross.ts'
import { dkimPeersMissing } from '../support/peers/dkim-peer.ts'
import type { DkimPeer } from '../support/peers/dkim-peer.ts'

const keys = crossKeys()
const TEXT = 'From: Ada <ada@example.com>\r\nTo: bob@example.net\r\nSubject:  two\r\n  lines\r\nX-A: 1\r\nX-A: 2\r\n\r\nAt \t four. \r\n\r\nAda\r\n\r\n\r\n'
const MESSAGE = Buffer.from(TEXT)

async function signed(message: Buffer, change: (order: SigningOrder) => SigningOrder, end: Partial<SigningEnd> = {}): Promise<string> {
  const signer = new MessageSigner((section) => FORMS.map((form) => change(orderOf(form, keys, section))))
  signer.write(message)
  const outcome = await signer.finish({ above: [], now: new Date(), ...end })
  assert.ok(outcome.status === 'signed', JSON.stringify(outcome))
  return outcome.fields.toString('latin1')
}

async function ours(message: Buffer = MESSAGE): Promise<string> {
  const outcome = await signedByUs(message, keys)
  assert.ok(outcome.status === 'signed')
  return outcome.fields.toString('latin1')
}

/** Those of the fields that are of these forms. */
function fieldsOf(fields: string, forms: readonly Form[]): string {
  const found = fields.split(/(?=DKIM-Signature:)/).filter((field) => forms.some(({ selector }) => field.replaceAll('\r\n\t', ' ').includes(` s=${selector};`)))
  assert.equal(found.length, forms.length)
  return found.join('')
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

/** What is done to a message on its way, and which forms do not survive it. */
const CHANGES: readonly { readonly name: string; readonly change: (text: string) => string; readonly breaks: string }[] = [
  { name: 'a byte of the body', change: (text) => text.replace('four', 'five'), breaks: 'fails: all' },
  { name: 'a byte of a signed field', change: (text) => text.replace('two', 'too'), breaks: 'fails: all' },
  { name: 'a From put on top, where From is oversigned', change: (text) => `From: eve@example.org\r\n${text}`, breaks: 'fails: all' },
  { name: 'a From put at the bottom', change: (text) => text.replace('\r\n\r\n', '\r\nFrom: eve@example.org\r\n\r\n'), breaks: 'fails: all' },
  { name: 'a field that was not there, where it is oversigned', change: (text) => text.replace('\r\n\r\n', '\r\nX-Never: 1\r\n\r\n'), breaks: 'fails: all' },
  { name: 'one of several fields taken away', change: (text) => text.replace('X-A: 1\r\n', ''), breaks: 'fails: all' },
  { name: 'two fields of a name changed about', change: (text) => text.replace('X-A: 1\r\nX-A: 2', 'X-A: 2\r\nX-A: 1'), breaks: 'fails: all' },
  { name: 'a line added to the body', change: (text) => `${text}more\r\n`, breaks: 'fails: all' },
  { name: 'folds and blanks of a field', change: (text) => text.replace('Subject:  two\r\n  lines', 'Subject: two lines '), breaks: 'fails: simple header' },
  { name: 'the case of a name', change: (text) => text.replace('Subject:', 'SUBJECT:'), breaks: 'fails: simple header' },
  { name: 'blanks in the body', change: (text) => text.replace('At \t four. ', 'At four.'), breaks: 'fails: simple body' },
  { name: 'empty lines at the end', change: (text) => `${text}\r\n\r\n`, breaks: '' },
  { name: 'a field that is not signed, put on top', change: (text) => `X-New: 1\r\nReceived: by x\r\n${text}`, breaks: '' },
  { name: 'names that are not repeated changed about', change: (text) => text.replace('To: bob@example.net\r\n', '').replace('\r\n\r\n', '\r\nTo: bob@example.net\r\n\r\n'), breaks: '' },
]

const skip = dkimPeersMissing()
const peers = new Map<PeerName, DkimPeer>()
before(async () => {
  if (skip === false) for (const name of PEERS) peers.set(name, await startPeer(name, keys))
})
after(async () => {
  for (const peer of peers.values()) await peer.stop()
})

describe('Ed25519', { skip }, () => {
  /** Debian 12: OpenDKIM 2.11 beta has it, dkimpy with PyNaCl; Mail::DKIM got it after 1.20230212. */
  const known = (peer: DkimPeer): boolean => peer.name !== 'mail-dkim' || Number(peer.version) > 1.2024

  for (const name of PEERS) {
    test(`${name} knows it, or passes over it and takes the RSA beside it`, async (t) => {
      const peer = peers.get(name)!
      t.diagnostic(`${name} ${peer.version}: ${peer.algorithms.join(', ')}`)
      assert.equal(peer.algorithms.includes('ed25519-sha256'), known(peer))
      const verdict = await peer.verify(bytes(await ours() + TEXT))
      assert.ok(verdict.status === 'verified')
      const statuses = new Map(verdict.results.map(({ selector, status }) => [selector, status]))
      for (const { selector, algorithm } of FORMS) {
        assert.equal(statuses.get(selector), peer.algorithms.includes(algorithm) ? 'pass' : 'fail', selector)
      }
    })
  }
})

describe('what is changed on the way breaks a signature for everybody, or for nobody', { skip }, () => {
  for (const { name, change, breaks } of CHANGES) {
    test(name, async () => {
      const fields = await ours()
      const changed = bytes(fields + change(TEXT))
      assert.equal(inWords(await failuresHere({ whole: changed, forms: FORMS, refused: {} }, keys), FORMS), breaks, 'we, of ours')
      for (const peer of peers.values()) {
        const forms = FORMS.filter(({ algorithm }) => peer.algorithms.includes(algorithm))
        assert.equal(inWords(await failuresAt(peer, changed), forms), breaks, `${peer.name}, of ours`)
        const made = await signedByPeer(peer, MESSAGE)
        const bent = bentByOpenDkim(made)
        const rest = made.forms.filter(({ selector }) => peer.name !== 'opendkim' || !bent.includes(selector))
        const theirs = Object.values(made.fields).join('')
        const found = inWords(await failuresHere({ ...made, whole: bytes(theirs + change(TEXT)) }, keys), rest)
        // mailauth signs what is there, and nothing that might come.
        assert.equal(found, peer.name === 'mailauth' && OPEN_TO_MAILAUTH.has(name) ? '' : breaks, `we, of ${peer.name}`)
      }
    })
  }
})

const OPEN_TO_MAILAUTH: ReadonlySet<string> = new Set(['a From put on top, where From is oversigned', 'a field that was not there, where it is oversigned'])

describe('several signatures', { skip }, () => {
  for (const name of PEERS) {
    test(`ours on top of those of ${name}, and the other way round: all pass, here and at every peer`, async () => {
      const peer = peers.get(name)!
      const rsa = FORMS.filter(({ algorithm, selector }) => algorithm === 'rsa-sha256' && selector !== 'rsa-simple-simple')
      const one = FORMS.filter(({ selector }) => selector === 'rsa-simple-simple')
      const order = (form: Form) => ({ ...form, names: ['from', 'to', 'subject', 'x-a', 'x-a'], over: [] })
      const theirs = await peer.sign(MESSAGE, order(one[0]!))
      assert.ok(theirs.status === 'signed')
      const under = theirs.field + TEXT
      const our = await signed(bytes(under), (sign) => sign)
      const both = fieldsOf(our, rsa) + under
      const ourOwn = await ours()
      const above = await peer.sign(bytes(ourOwn + TEXT), order(one[0]!))
      assert.ok(above.status === 'signed')
      for (const whole of [bytes(both), bytes(above.field + fieldsOf(ourOwn, rsa) + TEXT)]) {
        assert.deepEqual(await failuresHere({ whole, forms: [...rsa, ...one], refused: {} }, keys), {})
        for (const verifier of peers.values()) assert.deepEqual(await failuresAt(verifier, whole, [...rsa, ...one]), {}, verifier.name)
      }
    })
  }
})

describe('what our signatures can have', { skip }, () => {
  async function passesEverywhere(whole: Buffer): Promise<void> {
    assert.deepEqual(await failuresHere({ whole, forms: FORMS, refused: {} }, keys), {})
    for (const peer of peers.values()) assert.deepEqual(await failuresAt(peer, whole), {}, peer.name)
  }

  test('fields put on top while it is signed', async () => {
    const above = ['Date: Sun, 1 Mar 2026 11:59:00 +0000\r\n', 'Message-ID: <1@example.com>\r\n', 'X-A: folded\r\n \t0 \r\n']
    const fields = await signed(MESSAGE, (order) => ({ ...order, signedFields: [...order.signedFields, 'date', 'message-id'] }), { above: above.map(bytes) })
    await passesEverywhere(bytes(fields + above.join('') + TEXT))
  })

  for (const identity of ['@example.com', '@news.example.com', 'ada@example.com', '"a;=b c"@news.example.com', 'ada+tag@example.com']) {
    test(`i=${identity}, x=`, async () => {
      await passesEverywhere(bytes(await signed(MESSAGE, (order) => ({ ...order, identity, lifetimeSeconds: 3600 })) + TEXT))
    })
  }

  test('x= in the past: nobody takes it', async () => {
    const now = new Date(Date.now() - 86_400_000)
    const whole = bytes(await signed(MESSAGE, (order) => ({ ...order, lifetimeSeconds: 3600 }), { now }) + TEXT)
    const outcome = await verifiedByUs(whole, keys)
    assert.deepEqual(new Set(outcome.signatures.map(({ status, cause }) => `${status}: ${cause}`)), new Set(['neutral: expired']))
    for (const peer of peers.values()) assert.equal(inWords(await failuresAt(peer, whole), FORMS.filter(({ algorithm }) => peer.algorithms.includes(algorithm))), 'fails: all', peer.name)
  })

  test('as many fields as we sign', async () => {
    const many = bytes(`${Array.from({ length: 390 }, (_, i) => `X-A: ${i}\r\n`).join('')}${TEXT}`)
    const fields = await ours(many)
    assert.ok((/h=([^;]*);/.exec(fields)?.[1] ?? '').split(':').length >= 398)
    await passesEverywhere(Buffer.concat([bytes(fields), many]))
  })

  test('a message of 1 MB', async () => {
    const big = bytes(`${TEXT}${'A line of text \t with blanks  in it, and some at its end \r\n'.repeat(17_000)}`)
    await passesEverywhere(Buffer.concat([bytes(await ours(big)), big]))
  })
})

describe('l=, which we verify and never sign', { skip }, () => {
  for (const name of PEERS) {
    test(`of ${name}`, async () => {
      const peer = peers.get(name)!
      // Of a body that all canonicalisations leave as it is, so that dkimpy's l= is the same.
      const text = 'From: ada@example.com\r\nTo: bob@example.net\r\nSubject: tea\r\n\r\nAt four.\r\nAda\r\n'
      const made = await signedByPeer(peer, bytes(text), { limit: 15 })
      assert.deepEqual(made.refused, {})
      const rest = made.forms.filter(({ selector }) => name !== 'opendkim' || !bentByOpenDkim(made).includes(selector))
      for (const field of Object.values(made.fields)) assert.match(field, /[\s;]l=15;/)
      const fields = Object.values(made.fields).join('')
      for (const [more, total] of [['', 15], ['P.S. buy pills\r\n', 31]] as const) {
        const outcome = await verifiedByUs(bytes(fields + text + more), keys)
        for (const { selector } of rest) {
          const signature = outcome.signatures.find((one) => one.selector === selector)
          assert.deepEqual([signature?.status, signature?.bodyLength], ['pass', { signed: 15, total }], `${selector}, ${more}: ${signature?.cause ?? ''}`)
        }
      }
      for (const [changed, cause] of [[text.replace('four', 'five'), /body hash/], [text.replace('Ada\r\n', ''), /l=|body/]] as const) {
        const outcome = await verifiedByUs(bytes(fields + changed), keys)
        for (const { selector } of rest) {
          const signature = outcome.signatures.find((one) => one.selector === selector)
          assert.equal(signature?.status, 'fail', selector)
          assert.match(signature.cause, cause)
        }
      }
    })
  }
})
