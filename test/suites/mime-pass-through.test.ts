/** The MIME suite passes through into sinks and Maildirs, byte for byte (into real servers: test/interop/pass-through.test.ts): `mime/mail-parser`, 107 messages, well made and broken. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mimeSamples, suitesMissing } from '../support/mail-samples.ts'
import { passThroughSinks } from '../support/pass-through.ts'

const samples = mimeSamples()

describe('the MIME suite', { skip: suitesMissing('mime/mail-parser') }, () => {
  test('is complete', () => {
    assert.equal(samples.length, 107)
  })
  passThroughSinks(samples)
})
