/**
 * The tests that cross us with the peers over a set of messages: each peer
 * verifies what we sign, and we verify what each peer signs, in all forms. What
 * differs is compared, in words, with a table of the differences that are known
 * and why they are there; so is what the table has and nobody sees any more.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { FORMS, crossKeys, failuresAt, failuresHere, inWords, signedByPeer, signedByUs } from './dkim-cross.ts'
import type { CrossKeys, SignedByPeer } from './dkim-cross.ts'
import type { SignableMessage } from './dkim-messages.ts'
import { mailauthPeer, startDkimPeer } from './peers/dkim-peer.ts'
import type { DkimPeer } from './peers/dkim-peer.ts'

export const PEERS = ['opendkim', 'mail-dkim', 'dkimpy', 'mailauth'] as const
export type PeerName = (typeof PEERS)[number]

/** What a peer makes of our signatures, and what we make of its; in the words of `inWords`. Left out: it agrees. */
export interface Difference {
  readonly verifies?: string
  readonly signs?: string
}

export interface KnownDifference {
  /** who is right, and by what; for the reader */
  readonly why: string
  readonly messages: readonly string[]
  readonly peers: Readonly<Partial<Record<PeerName, Difference>>>
}

export function startPeer(name: PeerName, keys: CrossKeys): Promise<DkimPeer> {
  return name === 'mailauth' ? Promise.resolve(mailauthPeer(keys)) : startDkimPeer(name, keys)
}

/** What was crossed, for the last line of a test file. */
const totals = { messages: 0, verifiedThere: 0, verifiedHere: 0 }
export function report(name: string): void {
  console.log(`# ${name}: ${totals.messages} messages, ${totals.verifiedThere} of our signatures verified by peers, ${totals.verifiedHere} of theirs by us`)
}

export function compare(messages: readonly SignableMessage[], known: readonly KnownDifference[] = []): void {
  const keys = crossKeys()
  const signed = new Map<string, Buffer>()

  before(async () => {
    for (const [i, { name, message }] of messages.entries()) {
      const outcome = await signedByUs(message, keys, [1000, 1, 64, 65_536][i % 4])
      assert.ok(outcome.status === 'signed', `${name}: ${JSON.stringify(outcome)}`)
      signed.set(name, Buffer.concat([outcome.fields, message]))
    }
    totals.messages += signed.size
  })

  test('what we sign, we verify', async () => {
    for (const [name, whole] of signed) assert.deepEqual(await failuresHere({ whole, forms: FORMS, refused: {} }, keys, 997), {}, name)
  })

  // The peers work at the same time, each in its own process.
  describe('with', { concurrency: true }, () => {
    for (const peerName of PEERS) {
      describe(peerName, () => {
        let peer: DkimPeer
        before(async () => { peer = await startPeer(peerName, keys) })
        after(() => peer.stop())

        test('it verifies what we sign', async () => {
          const forms = FORMS.filter(({ algorithm }) => peer.algorithms.includes(algorithm))
          const found = await Promise.all([...signed].map(async ([name, whole]) => [name, inWords(await failuresAt(peer, whole), forms)] as const))
          totals.verifiedThere += found.length * forms.length
          assert.deepEqual(differing(found), expected(known, peerName, 'verifies'))
        })

        test('we verify what it signs', async () => {
          const found: (readonly [string, string])[] = []
          for (const [i, { name, message }] of messages.entries()) {
            const made = await signedByPeer(peer, message)
            const failures = await failuresHere(made, keys, [1000, 7, 65_536][i % 3])
            const bent = peerName === 'opendkim' ? bentByOpenDkim(made) : []
            for (const selector of bent) assert.match(failures[selector] ?? 'pass', /^fail: (?:bad signature|body hash did not verify)$/, `${name}, ${selector}`)
            found.push([name, inWords(failures, FORMS.filter(({ algorithm, selector }) => peer.algorithms.includes(algorithm) && !bent.includes(selector)))])
            totals.verifiedHere += made.forms.length - bent.length
          }
          assert.deepEqual(differing(found), expected(known, peerName, 'signs'))
        })
      })
    }
  })
}

/**
 * OpenDKIM 2.11 signs its field with `; b=` at the end and puts a fold before
 * the b= when the signature is there, also where `b=` alone had found room in
 * the line. In `simple` that is another field: no verifier takes it, OpenDKIM's
 * own included. A long signature (RSA) it folds before it signs.
 */
export function bentByOpenDkim({ fields }: Pick<SignedByPeer, 'fields'>): string[] {
  return Object.keys(fields).filter((selector) => {
    const before = /([^\n]*)\r\n\tb=/.exec(fields[selector] ?? '')?.[1]
    return selector.startsWith('ed25519-simple-') && before !== undefined && before.length < OPENDKIM_ROOM
  })
}

/** Characters before the fold, its tab counted as one. */
const OPENDKIM_ROOM = 67

function differing(found: readonly (readonly [name: string, words: string])[]): Readonly<Record<string, string>> {
  return Object.fromEntries(found.filter(([, words]) => words !== ''))
}

function expected(known: readonly KnownDifference[], peer: PeerName, way: keyof Difference): Readonly<Record<string, string>> {
  return Object.fromEntries(known.flatMap(({ messages, peers }) => {
    const words = peers[peer]?.[way]
    return words === undefined ? [] : messages.map((name) => [name, words] as const)
  }))
}
