/** Both suites of messages pass through into every real next hop, byte for byte: 107 of MIME, 134 of wanted and unwanted mail. */
import { describe } from 'node:test'
import { mailSamples, mimeSamples, suitesMissing } from '../support/mail-samples.ts'
import { passThroughHops } from '../support/pass-through.ts'

describe('real hops', { skip: suitesMissing('mime/mail-parser') || suitesMissing('mail/t/data') }, () => {
  passThroughHops([...mimeSamples(), ...mailSamples()])
})
