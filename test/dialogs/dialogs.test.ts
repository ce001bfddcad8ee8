/**
 * Plays every transcript of this folder in every way, and holds the reply
 * catalogue against them: a reply that no dialog shows is either proved
 * elsewhere, by name, or should not be there.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import * as catalogue from '../../src/smtp/reply-catalogue.ts'
import { formatReply, type Reply } from '../../src/smtp/reply.ts'
import { readDialogs } from '../support/dialog-text.ts'
import { play, ways } from '../support/dialog.ts'

const folder = import.meta.dirname
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'))

for (const file of files) {
  describe(file.replace(/\.txt$/, ''), () => {
    for (const dialog of readDialogs(join(folder, file))) {
      test(dialog.name, async () => {
        for (const way of ways(dialog)) {
          try {
            await play(dialog, way)
          } catch (error) {
            throw new Error(`played by ${way}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
          }
        }
      })
    }
  })
}

test('every transcript has dialogs, and each dialog a name of its own', () => {
  assert.ok(files.length > 0)
  for (const file of files) {
    const names = readDialogs(join(folder, file)).map((dialog) => dialog.name)
    assert.ok(names.length > 0, `${file} has no dialog`)
    assert.equal(new Set(names).size, names.length, `${file} has two dialogs of one name`)
  }
})

/** Replies that no session says: the test that proves each. */
const PROVED_ELSEWHERE: Readonly<Record<string, string>> = {
  TOO_MANY_SESSIONS: '../unit/smtp/server.test.ts',
  TOO_MANY_FROM_NETWORK: '../unit/smtp/admission.test.ts',
  NO_ROOM: '../unit/transaction.test.ts',
  INTERNAL: '../unit/smtp/session.test.ts',
  HEADER_TOO_LONG: '../unit/inbound/session.test.ts',
  OTHER_VERDICT: '../unit/inbound/excuses-and-rates.test.ts',
  KEPT: '../unit/inbound/session.test.ts',
  NOT_KEPT: '../unit/inbound/session.test.ts',
}

/** One example of each reply that is made for its occasion. */
const MADE: Readonly<Record<string, RegExp>> = {
  greeting: /^S: 220 mx\.example ESMTP Postern$/m,
  chunkReceived: /^S: 250 2\.0\.0 \d+ octets received$/m,
  syntax: /^S: 501 5\.5\.4 Syntax: /m,
  parameterNotKnown: /^S: 555 5\.5\.4 Parameter \S+ is not offered/m,
  parameterTwice: /^S: 501 5\.5\.4 Parameter \S+ is given twice/m,
  parameterValue: /^S: 501 5\.5\.4 Parameter \S+ takes /m,
  badAddress: /^S: 501 5\.1\.[37] Bad address: /m,
  needsSmtputf8: /^S: 55[03] 5\.6\.7 A non-ASCII address needs SMTPUTF8/m,
  tooBig: /^S: 552 5\.3\.4 Message is larger than \d+ bytes/m,
  attributeSyntax: /^S: 501 5\.5\.4 Bad attribute: /m,
}

test('every reply of the catalogue is said in a dialog', () => {
  const transcripts = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')
  const missing: string[] = []
  for (const [name, entry] of Object.entries(catalogue)) {
    const elsewhere = PROVED_ELSEWHERE[name]
    if (elsewhere !== undefined) {
      if (!existsSync(join(folder, elsewhere)) || !readFileSync(join(folder, elsewhere), 'utf8').includes(name)) missing.push(`${name} (not in ${elsewhere})`)
    } else if (typeof entry === 'function') {
      if (!MADE[name]?.test(transcripts)) missing.push(name)
    } else if (!said(transcripts, entry)) missing.push(name)
  }
  assert.deepEqual(missing, [])
})

/** Every line of it stands in a transcript; a decision ID may follow. */
function said(transcripts: string, reply: Reply): boolean {
  return formatReply(reply).trimEnd().split('\r\n').every((line) => transcripts.includes(`\nS: ${line}`))
}
