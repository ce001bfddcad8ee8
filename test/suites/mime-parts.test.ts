/**
 * The parts that the MIME suite expects of its messages (`mime/mail-parser`, each with LF and with CR LF as line ends): structure, types, names, character
 * sets, text and bytes. Where we read a message in another way it stands in a table with its reason, and the test says so when the reason is gone.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { MimeMessage, MimePart } from '../../src/mime/message-parts.ts'
import { mimeSamples, suitesMissing, SUITES } from '../support/mail-samples.ts'
import { assertSound, everything, inPieces, readPieces } from '../support/mime.ts'

interface ContentType {
  readonly c_type: string
  readonly c_subtype: string | null
  readonly attributes: readonly { readonly name: string, readonly value: string }[] | null
}

interface ExpectedPart {
  readonly headers: readonly { readonly name: unknown, readonly value: { readonly ContentType?: ContentType, readonly Text?: string } }[]
  readonly body: { readonly Multipart?: readonly number[], readonly Message?: ExpectedMessage, readonly Text?: string, readonly Html?: string, readonly Binary?: readonly number[], readonly InlineBinary?: readonly number[] }
}

interface ExpectedMessage {
  readonly parts: readonly ExpectedPart[]
}

/** What both say of a part. */
interface Shape {
  readonly depth: number
  readonly kind: 'multipart' | 'message' | 'text' | 'html' | 'other'
  readonly type: string | undefined
  readonly names: readonly (readonly [string, string])[]
  readonly disposition: string | undefined
  readonly subject: string | undefined
  readonly content: string
}

const lf = (text: string): string => text.replace(/\r\n/g, '\n')
/** The parameters that are compared. */
const COMPARED: ReadonlySet<string> = new Set(['name', 'filename', 'charset', 'boundary'])

function expectedShapes(message: ExpectedMessage, index = 0, depth = 0): Shape[] {
  const part = message.parts[index]!
  const { Multipart, Message, Text, Html, Binary, InlineBinary } = part.body
  const values = (name: string): ContentType | undefined => part.headers.findLast((one) => one.name === name)?.value.ContentType
  const type = values('content_type')
  const disposition = values('content_disposition')
  const names = [...(type?.attributes ?? []), ...(disposition?.attributes ?? [])].filter(({ name }) => COMPARED.has(name)).map(({ name, value }) => [name, value.trim()] as const)
  const shape: Shape = {
    depth,
    kind: Multipart !== undefined ? 'multipart' : Message !== undefined ? 'message' : Text !== undefined ? 'text' : Html !== undefined ? 'html' : 'other',
    type: type === undefined ? undefined : `${type.c_type}/${type.c_subtype ?? ''}`.toLowerCase(),
    names,
    disposition: disposition?.c_type.toLowerCase(),
    subject: part.headers.findLast((one) => one.name === 'subject')?.value.Text,
    content: lf(Text ?? Html ?? Buffer.from(Binary ?? InlineBinary ?? []).toString('latin1')),
  }
  const inner = Multipart?.flatMap((child) => expectedShapes(message, child, depth + 1)) ?? (Message === undefined ? [] : expectedShapes(Message, 0, depth + 1))
  return [shape, ...inner]
}

function kindOf(part: MimePart): Shape['kind'] {
  if (part.type.startsWith('multipart/')) return 'multipart'
  if (part.text === undefined) return part.type.startsWith('message/') ? 'message' : 'other'
  return part.type === 'text/html' ? 'html' : 'text'
}

function shapes(message: MimeMessage, expected: readonly Shape[]): Shape[] {
  return message.parts.map((part, i) => {
    const field = (name: string) => part.fields.findLast((one) => one.name === name)
    const names = new Map(part.parameters)
    // Of the parameters of Content-Disposition only the name is kept.
    const wanted = expected[i]?.names ?? []
    const fileNames = wanted.filter(([name]) => name === 'filename' || (name === 'name' && !names.has('name')))
    const own = wanted.filter(([name]) => names.has(name)).map(([name]) => [name, names.get(name)!.trim()] as const)
    return {
      depth: part.depth,
      kind: kindOf(part),
      type: field('content-type') === undefined ? undefined : part.type,
      names: wanted.filter((one) => own.some(([name]) => name === one[0]) || fileNames.includes(one)).map(([name, value]) => own.find((one) => one[0] === name) ?? [name, part.fileName === value.replace(/^.*[/\\]/, '') ? value : part.fileName ?? '']),
      disposition: part.disposition,
      subject: expected[i]?.subject === undefined ? undefined : field('subject')?.text,
      content: part.text === undefined ? (part.content.length > 0 ? lf(part.content.toString('latin1')) : '') : lf(part.text),
    }
  })
}

const REASONS = {
  bytes: 'bytes outside ASCII in a field, or in a text whose character set is not the declared one, are windows-1252 where they are no UTF-8',
  uuencode: 'content that is uuencoded is decoded',
  uuencodedText: 'uuencoded files in a text are attachments',
  path: 'a file name is without its path',
  empty: 'a part is a part, though nothing is in it',
  duplicate: 'of two types a multipart is read as one, and what stands before its delimiters is a text besides',
  prefix: 'a delimiter is a whole line: a boundary that begins with another is not that other',
  outer: 'the delimiter of an outer multipart ends the inner ones, and those of the inner ones mean nothing any more',
  unlimited: 'a multipart whose delimiter never comes is a multipart with one text',
  noHeader: 'a message without a header is a message with a text',
  broken: 'base64 that is none is decoded as far as it goes, and nothing of it is shown as text',
  inside: 'a partial message and an external body have a header of their own, which is read',
  lineStart: 'a delimiter begins a line',
  strayText: 'text that stands in the place of a header is a text',
}

/** Messages that we read in another way. */
const DIFFERENT: Readonly<Record<string, keyof typeof REASONS>> = {
  'legacy/010': 'bytes', 'legacy/016': 'bytes', 'legacy/020': 'bytes', 'legacy/022': 'bytes', 'legacy/023': 'bytes', 'legacy/027': 'bytes', 'legacy/033': 'bytes', 'legacy/052': 'bytes',
  'legacy/017': 'uuencode', 'legacy/026': 'uuencode', 'legacy/048': 'uuencode', 'legacy/049': 'uuencodedText',
  'legacy/035': 'path', 'legacy/039': 'path',
  'malformed/000': 'empty', 'malformed/005': 'empty', 'malformed/013': 'empty', 'malformed/014': 'empty',
  'malformed/001': 'outer', 'malformed/008': 'prefix', 'malformed/009': 'outer', 'malformed/011': 'outer', 'malformed/012': 'outer', 'malformed/016': 'outer',
  'malformed/002': 'unlimited', 'malformed/007': 'strayText', 'malformed/019': 'strayText', 'malformed/020': 'duplicate', 'malformed/021': 'duplicate', 'malformed/022': 'noHeader',
  'rfc/000': 'broken', 'rfc/001': 'inside', 'thirdparty/002': 'broken', 'thirdparty/005': 'lineStart', 'thirdparty/009': 'inside', 'thirdparty/015': 'outer',
}

describe('the MIME suite: parts', { skip: suitesMissing('mime/mail-parser') }, () => {
  for (const lineEnd of ['LF', 'CR LF'] as const) {
    test(`with ${lineEnd}`, (t) => {
      let parts = 0
      let different = 0
      for (const { name } of mimeSamples()) {
        const raw = readFileSync(join(SUITES, name))
        const file = join(SUITES, name.replace(/\.eml$/, lineEnd === 'LF' ? '.json' : '.crlf.json'))
        const expected = expectedShapes(JSON.parse(readFileSync(file, 'utf8')) as ExpectedMessage)
        const message = readPieces([lineEnd === 'LF' ? raw : Buffer.from(raw.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')])
        const found = shapes(message, expected)
        const reason = DIFFERENT[name.replace(/^.*eml\/|\.eml$/g, '')]
        if (reason === undefined) {
          assert.deepEqual(found, expected, name)
          parts += found.length
        } else {
          assert.notDeepEqual(found, expected, `${name}: it is not true any more that ${REASONS[reason]}`)
          different++
        }
      }
      assert.equal(different, Object.keys(DIFFERENT).length)
      t.diagnostic(`${mimeSamples().length - different} messages with ${parts} parts are the same, ${different} different on purpose`)
    })
  }

  test('wherever the pieces end', () => {
    for (const { sent } of mimeSamples()) {
      const whole = readPieces([sent])
      assertSound(whole)
      const expected = everything(whole)
      for (const size of [1, 7, 100, 4096]) assert.deepEqual(everything(readPieces(inPieces(sent, size))), expected)
    }
  })
})
