/**
 * DKIM crossed with OpenDKIM, Mail::DKIM, dkimpy and mailauth on generated
 * messages: folds, blanks, empty values and bodies, repeated and many fields,
 * long lines, 8-bit, line ends missing, standing alone, or at the end. RSA-2048
 * and Ed25519, all four canonicalisations. Where somebody disagrees it stands
 * here, with who is right by RFC 6376; in none of these it is not us.
 */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { compare, report } from '../support/dkim-comparison.ts'
import type { KnownDifference } from '../support/dkim-comparison.ts'
import { crossKeys, signedByUs } from '../support/dkim-cross.ts'
import { bareBodies, edgeMessages, generatedMessages, unendedMessages, unsignableMessages } from '../support/dkim-messages.ts'
import { dkimPeersMissing } from '../support/peers/dkim-peer.ts'

const skip = dkimPeersMissing()

const GENERATED: readonly KnownDifference[] = [
  {
    why: 'RFC 5322 §4.5 has readers take blanks before a colon, and RFC 6376 §3.4.2 leaves them out; dkimpy gives up on the message',
    messages: ['fields: blanks before the colon', 'fields: a tab before the colon'],
    peers: { dkimpy: { verifies: 'not read: all', signs: 'not signed: all' } },
  },
  {
    why: 'the same; OpenDKIM gives up where it is a tab',
    messages: ['fields: a tab before the colon'],
    peers: { opendkim: { verifies: 'not read: all', signs: 'not signed: all' } },
  },
  {
    why: 'RFC 6376 §2.8: white space is space and tab; OpenDKIM takes VT and FF for some',
    messages: ['fields: bytes that some take for white space, inside'],
    peers: { opendkim: { verifies: 'fails: relaxed header', signs: 'fails: relaxed header' } },
  },
]

const EDGES: readonly KnownDifference[] = [
  {
    why: 'RFC 6376 §2.8: white space is space and tab; others are taken for some by OpenDKIM, by the expressions of Perl, and by strip() of Python; mailauth agrees with us',
    messages: ['bytes that some take for white space, at the ends of a value'],
    peers: {
      'opendkim': { verifies: 'fails: relaxed header', signs: 'fails: relaxed header' },
      'mail-dkim': { verifies: 'fails: relaxed header', signs: 'fails: relaxed header' },
      'dkimpy': { verifies: 'fails: relaxed header', signs: 'fails: relaxed header' },
    },
  },
  {
    why: 'a NUL is a byte like any other; to OpenDKIM it ends the text',
    messages: ['NUL in a value'],
    peers: { opendkim: { verifies: 'fails: relaxed header', signs: 'fails: relaxed header' } },
  },
]

const OF_BLANKS = ['a blank alone', 'a blank line, a blank', 'a last line of blanks'] as const
const BEHIND_BLANKS = ['behind a blank', 'behind tabs'] as const
const WORDS = ['one byte', 'one line', 'behind empty lines'] as const

const UNENDED: readonly KnownDifference[] = [
  {
    why: 'RFC 6376 §3.4.3: simple adds the line end that the last line lacks; Mail::DKIM does not',
    messages: [...OF_BLANKS, ...BEHIND_BLANKS, ...WORDS, 'a line of 70000'],
    peers: { 'mail-dkim': { verifies: 'fails: simple body', signs: 'fails: simple body' } },
  },
  {
    why: 'RFC 6376 §3.4.4: relaxed takes away the white space at the end of every line, the last one too; dkimpy only that before a CRLF. mailauth and Mail::DKIM agree with us',
    messages: [...OF_BLANKS, ...BEHIND_BLANKS],
    peers: { dkimpy: { verifies: 'fails: relaxed body', signs: 'fails: relaxed body' } },
  },
  {
    why: 'the same; OpenDKIM does it on a line of nothing else only',
    messages: BEHIND_BLANKS,
    peers: { opendkim: { verifies: 'fails: relaxed body', signs: 'fails: relaxed body' } },
  },
  {
    why: 'RFC 6376 §3.4.4: relaxed adds the line end too; OpenDKIM gives up on a last line without one, and where one signature wants relaxed it verifies none',
    messages: WORDS,
    peers: { opendkim: { verifies: 'fails: all', signs: 'not signed: relaxed body' } },
  },
  {
    why: 'the same; with a line longer than its buffer OpenDKIM adds no line end in simple either',
    messages: ['a line of 70000'],
    peers: { opendkim: { verifies: 'fails: all', signs: 'fails: simple body; not signed: relaxed body' } },
  },
]

const LF_AT_THE_END = ['LF at the end of the body', 'LF as the whole body', 'LF as the last lines'] as const
const CR_AT_THE_END = ['CR behind a blank at the end', 'CR as the whole body', 'CR as the last line'] as const

/** RFC 6376 §5.3 wants CR and LF that stand alone gone before a message is signed: nobody can count on any of this. */
const BARE: readonly KnownDifference[] = [
  {
    why: 'RFC 6376 §3.4.3, §3.4.4: a line ends with CRLF, and LF is a byte like any other; dkimpy and mailauth take it for CRLF',
    messages: [...LF_AT_THE_END, 'LF', 'LF behind a blank', 'LF behind CRLF', 'LF before CR'],
    peers: { dkimpy: { verifies: 'fails: all', signs: 'fails: all' }, mailauth: { verifies: 'fails: all', signs: 'fails: all' } },
  },
  {
    why: 'a body that ends with one of them does not end with a line end (§3.4.3); Mail::DKIM adds none',
    messages: [...LF_AT_THE_END, ...CR_AT_THE_END, 'CR at the end of the body'],
    peers: { 'mail-dkim': { verifies: 'fails: simple body', signs: 'fails: simple body' } },
  },
  {
    why: 'CR and LF are bytes like any other; OpenDKIM makes something else of LF in simple',
    messages: ['LF', 'LF behind a blank', 'LF behind CRLF', 'CR between empty lines at the end'],
    peers: { opendkim: { verifies: 'fails: simple body', signs: 'fails: simple body' } },
  },
  {
    why: 'the same, of CR in relaxed',
    messages: ['CR', 'CR behind a blank', 'CR and a blank before CRLF'],
    peers: { opendkim: { verifies: 'fails: relaxed body', signs: 'fails: relaxed body' } },
  },
  {
    why: 'the same, of CR in both',
    messages: [...CR_AT_THE_END, 'LF before CR'],
    peers: { opendkim: { verifies: 'fails: all', signs: 'fails: all' } },
  },
  {
    why: 'OpenDKIM gives up on a last line without CRLF in relaxed, and does not sign what it would verify in simple',
    messages: [...LF_AT_THE_END, 'CR at the end of the body'],
    peers: { opendkim: { verifies: 'fails: all', signs: 'fails: simple body; not signed: relaxed body' } },
  },
]

/** What is not signed because readers see different fields in it, or because From is not there. */
const UNSIGNABLE = {
  'CR in a value': 'there is a CR or LF in it that is no line end (byte 108)',
  'CR before CRLF': 'there is a CR or LF in it that is no line end (byte 108)',
  'LF in a value': 'there is a CR or LF in it that is no line end (byte 108)',
  'LF before a fold': 'there is a CR or LF in it that is no line end (byte 108)',
  'LF LF': 'there is a CR or LF in it that is no line end (byte 108)',
  'LF only': 'there is a CR or LF in it that is no line end (byte 27)',
  'a line that is no field': 'there is a line in it that is no field (byte 102)',
  'the line of a mailbox file on top': 'there is a line in it that is no field (byte 0)',
  'a fold on top': 'it begins with a line that continues no field (byte 0)',
  'a fold before a colon': 'there is a fold before a colon in it (byte 102)',
  'no name before a colon': 'there is a line in it that is no field (byte 102)',
  'a name with a byte outside ASCII': 'there is a line in it that is no field (byte 102)',
  'no From': 'there is no From, which must be signed',
  'nothing but a body': 'there is no From, which must be signed',
  'nothing': 'there is no From, which must be signed',
}

describe('DKIM on generated messages', { skip }, () => compare(generatedMessages(), GENERATED))
describe('DKIM on messages with what some take for white space, and with NUL', { skip }, () => compare(edgeMessages(), EDGES))
describe('DKIM on bodies without a line end at their end', { skip }, () => compare(unendedMessages(), UNENDED))
describe('DKIM on bodies with CR and LF alone', { skip }, () => compare(bareBodies(), BARE))

test('what is not signed, and why', async () => {
  const keys = crossKeys()
  const found = await Promise.all(unsignableMessages().map(async ({ name, message }) => {
    const outcome = await signedByUs(message, keys)
    return [name, outcome.status === 'failed' ? outcome.cause.replace(/^.*: /, '') : outcome.status]
  }))
  assert.deepEqual(Object.fromEntries(found), UNSIGNABLE)
})

if (skip === false) after(() => report('DKIM on generated messages'))
