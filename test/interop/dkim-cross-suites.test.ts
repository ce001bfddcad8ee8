/**
 * DKIM crossed with OpenDKIM, Mail::DKIM, dkimpy and mailauth on the messages
 * of `mail/t/data` and `mime/mail-parser`: as they are where they can be signed,
 * and all of them mended. RSA-2048 and Ed25519, all four canonicalisations.
 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { compare, report } from '../support/dkim-comparison.ts'
import type { KnownDifference } from '../support/dkim-comparison.ts'
import { crossKeys, signedByUs } from '../support/dkim-cross.ts'
import { mended, suiteMessages } from '../support/dkim-messages.ts'
import type { SignableMessage } from '../support/dkim-messages.ts'
import { suitesMissing } from '../support/mail-samples.ts'
import { dkimPeersMissing } from '../support/peers/dkim-peer.ts'

const skip = dkimPeersMissing()

/** Where a message had to be mended, as it was sent: why it is not signed, and how many of each reason. */
async function reasons(messages: readonly SignableMessage[]): Promise<Record<string, number>> {
  const keys = crossKeys()
  const counts: Record<string, number> = {}
  for (const { message } of messages) {
    const outcome = await signedByUs(message, keys)
    const reason = outcome.status === 'failed' ? outcome.cause.replace(/^.*: /, '').replace(/ \(byte \d+\)$/, '') : outcome.status
    counts[reason] = (counts[reason] ?? 0) + 1
  }
  return counts
}

const MAIL: readonly KnownDifference[] = [
  {
    why: 'OpenDKIM gives up on a message in which another signature is malformed; RFC 6376 §6.1 has a verifier go on with the next',
    messages: ['AddedVtag_07', 'BasicTest_01', 'MIMEnowsp_05', 'MIMEsimple_04', 'MultipleReceived_08', 'MultipleSig_06', 'NonExistingHeader_09', 'Nowsp_03', 'Simple_02'].map((name) => `mail/t/data/nice/dkim/${name}`),
    peers: { opendkim: { verifies: 'not read: all', signs: 'not signed: all' } },
  },
  {
    why: 'OpenDKIM gives up on a message whose From has no address; it signs one',
    messages: ['mail/t/data/nice/unicode2'],
    peers: { opendkim: { verifies: 'not read: all' } },
  },
  {
    why: 'there are blanks before the colon of its first From (RFC 5322 §4.5): dkimpy takes that field for the first line of a mailbox file, and passes over it',
    messages: ['mail/t/data/spam/008'],
    peers: { dkimpy: { verifies: 'fails: all', signs: 'fails: all' } },
  },
]

const MIME: readonly KnownDifference[] = [
  {
    why: 'dkimpy gives up on a message with blanks before a colon (RFC 5322 §4.5 has readers take them)',
    messages: ['mime/mail-parser/resources/eml/malformed/019.eml'],
    peers: { dkimpy: { verifies: 'not read: all', signs: 'not signed: all' } },
  },
  {
    why: 'OpenDKIM gives up on a message whose From has no address; it signs one',
    messages: ['rfc/001', 'rfc/004', 'thirdparty/007'].map((name) => `mime/mail-parser/resources/eml/${name}.eml`),
    peers: { opendkim: { verifies: 'not read: all' } },
  },
]

const mendedOf = (suite: 'mail' | 'mime'): SignableMessage[] => suiteMessages(suite).map(({ name, message }) => ({ name, message: mended(message) }))

describe('DKIM on the messages of mail/t/data', { skip: skip === false ? suitesMissing('mail/t/data') : skip }, () => {
  test('what cannot be signed as it is', async () => {
    assert.deepEqual(await reasons(suiteMessages('mail')), { 'there is a line in it that is no field': 35, 'there is no From, which must be signed': 1, 'signed': 98 })
  })
  compare(mendedOf('mail'), MAIL)
})

describe('DKIM on the messages of mime/mail-parser', { skip: skip === false ? suitesMissing('mime/mail-parser') : skip }, () => {
  test('what cannot be signed as it is', async () => {
    assert.deepEqual(await reasons(suiteMessages('mime')), { 'there is no From, which must be signed': 30, 'signed': 77 })
  })
  compare(mendedOf('mime'), MIME)
})

if (skip === false) after(() => report('DKIM on the suites'))
