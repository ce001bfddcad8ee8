/** Real mail passes through into sinks and Maildirs, byte for byte (into real servers: test/interop/pass-through.test.ts): `mail/t/data`, 61 wanted and 73 unwanted messages. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mailSamples, suitesMissing } from '../support/mail-samples.ts'
import { passThroughSinks } from '../support/pass-through.ts'

const samples = mailSamples()

describe('wanted and unwanted mail', { skip: suitesMissing('mail/t/data') }, () => {
  test('is complete', () => {
    assert.equal(samples.length, 61 + 73)
  })
  passThroughSinks(samples)
})
