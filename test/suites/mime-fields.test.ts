/** Field values of the MIME suite (`mime/mail-parser`): parameters of Content-Type and Content-Disposition, and encoded words. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { fieldText } from '../../src/mime/encoded-words.ts'
import { readFields } from '../../src/mime/fields.ts'
import { readValue } from '../../src/mime/parameters.ts'
import { SUITES, suitesMissing } from '../support/mail-samples.ts'

interface Value {
  readonly c_type: string
  readonly c_subtype: string | null
  readonly attributes?: readonly (readonly [string, string])[] | null
}

interface Case<T> {
  readonly header: string
  readonly expected: T
}

function cases<T>(name: string): Case<T>[] {
  return JSON.parse(readFileSync(join(SUITES, 'mime/mail-parser/resources', name), 'utf8')) as Case<T>[]
}

/** Where we read a value in another way, and why. */
const DIFFERENT: readonly { readonly reason: string, readonly header: RegExp }[] = [
  { reason: 'parameters count where the type before them cannot be read: a boundary is worth knowing', header: /^ ?\/?(?:plain)? ?;|^name=value/ },
  { reason: 'a third word behind the type is left out: text/plain is what can be shown', header: /^text\/plain\/format/ },
  { reason: 'a charset again in a later segment, with half of its quotes, is of the value', header: /^application\/pdf\n {3}filename\*0/ },
  { reason: 'encoded words are decoded in quoted strings as well, blanks between them left out', header: /^image\/jpeg;\n {3}name="=\?iso-8859-1\?B\?4Q/ },
  { reason: 'a name may be empty', header: /^text\/plain; name= {2}\n/ },
  { reason: 'type and names are a byte a character', header: /^\u00e1\/\u00e9/ },
  { reason: 'a quoted string that does not end loses its blanks', header: /^inva\/lid; name=" {3}\n(?! {4}")/ },
  { reason: 'a lone = is no type', header: /^=\n/ },
  { reason: 'names with asterisks in wrong places stay as they are', header: /^malicious\/attempt|^test\/encoded/ },
]

const WORDS_DIFFERENT: readonly { readonly reason: string, readonly header: RegExp }[] = [
  { reason: 'no blank comes in front of an encoded word that has none', header: /^\[SUSPECTED SPAM\]=|^Some text =\?utf-8\?Q\?\?=here/ },
]

/** The value as a message has it: the bytes of the first field. */
function rawOf(header: string): string {
  return readFields(Buffer.from(`Content-Type:${header}`), 10).fields[0]?.raw ?? ''
}

interface Difference {
  readonly header: string
  readonly found: unknown
  readonly wanted: unknown
}

/** Each difference has its reason, and each reason a difference. */
function explained(differences: readonly Difference[], reasons: typeof DIFFERENT): void {
  for (const { header, found, wanted } of differences) if (!reasons.some((one) => one.header.test(header))) assert.deepEqual(found, wanted, header)
  for (const { reason, header } of reasons) assert.ok(differences.some((one) => header.test(one.header)), `it is not true any more that ${reason}`)
}

describe('the MIME suite: fields', { skip: suitesMissing('mime/mail-parser') }, () => {
  test('parameters', (t) => {
    const all = cases<Value | null>('content_type.json')
    const differences: Difference[] = []
    for (const { header, expected } of all) {
      const { word, parameters } = readValue(rawOf(header))
      const type = expected === null ? '' : expected.c_subtype === null ? expected.c_type : `${expected.c_type}/${expected.c_subtype}`
      // Languages are not kept.
      const wanted = { word: type, parameters: new Map((expected?.attributes ?? []).filter(([name]) => !name.endsWith('-language'))) }
      const found = { word, parameters }
      if (!isDeepStrictEqual(found, wanted)) differences.push({ header, found, wanted })
    }
    explained(differences, DIFFERENT)
    assert.equal(all.length, 103)
    t.diagnostic(`${all.length} values, ${differences.length} of them different on purpose`)
  })

  test('encoded words', (t) => {
    const all = cases<string>('unstructured.json')
    const differences: Difference[] = []
    // Folds keep their blanks here (RFC 5322 §2.2.3).
    const blanks = (text: string): string => text.replace(/[ \t]+/g, ' ')
    for (const { header, expected } of all) {
      const found = blanks(fieldText(rawOf(header)))
      if (found !== blanks(expected)) differences.push({ header, found, wanted: expected })
    }
    explained(differences, WORDS_DIFFERENT)
    assert.equal(all.length, 30)
    t.diagnostic(`${all.length} texts, ${differences.length} of them different on purpose`)
  })
})
