/** Real mail passes through every kind of hop, byte for byte: `mail/t/data`, 61 wanted and 73 unwanted messages. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mailSamples, suitesMissing } from '../support/mail-samples.ts'
import { passThroughHops, passThroughSinks } from '../support/pass-through.ts'

const samples = mailSamples()

describe('wanted and unwanted mail', { skip: suitesMissing('mail/t/data') }, () => {
  test('is complete', () => {
    assert.equal(samples.length, 61 + 73)
  })
  passThroughSinks(samples)
  passThroughHops(samples)
})
