import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editMessage, type Edits } from '../../../src/message/edit.ts'
import { readHeaderSection, type HeaderSection } from '../../../src/message/header-section.ts'
import type { StoredMessage } from '../../../src/message/message.ts'
import { Random } from '../../support/fuzzing.ts'
import { bytes, chunksOf, fileMessage, heldMessage, sectionOf, streamedMessage } from '../../support/stored-message.ts'

const NOTHING = Buffer.alloc(0)
const TEXT = 'A: 1\r\nB: 2\r\n\tfold\r\nSubject: x\r\nC: 3\r\n\r\nbody\r\n\r\nA: in the body\r\n'
const sections = [['A: 1\r\n', 'B: 2\r\n\tfold\r\n', 'Subject: x\r\n', 'C: 3\r\n'], '\r\nbody\r\n\r\nA: in the body\r\n'] as const

/** What an edited message is to be, from its fields as they were put together: shares no code with the editor. */
function expectedOf(fields: readonly string[], rest: string, { remove = [], replace = [] }: Omit<Edits, 'prefix'>): string {
  const left = fields.map((field, i) => (remove.includes(i) ? '' : (replace.find(({ index }) => index === i)?.raw.toString('latin1') ?? field)))
  return left.join('') + rest
}

async function check(body: StoredMessage, expected: string): Promise<void> {
  for (let reading = 0; reading < 2; reading++) {
    const chunks = await chunksOf(body)
    assert.equal(Buffer.concat(chunks).toString('latin1'), expected)
    if (body.memory !== null) assert.equal(Buffer.concat(body.memory).toString('latin1'), expected)
    else assert.ok(chunks.every(({ length }) => length <= 64 * 1024))
  }
  assert.equal(body.size, expected.length)
}

test('nothing removed, nothing replaced: the very same message', () => {
  const body = heldMessage([bytes(TEXT)])
  for (const prefix of ['', 'X: y\r\n']) {
    const edited = editMessage(body, sectionOf(TEXT), { prefix: bytes(prefix), remove: [], replace: [] })
    assert.equal(edited.body, body)
    assert.equal(edited.prefix.toString(), prefix)
    assert.equal(editMessage(body, sectionOf(TEXT), { prefix: bytes(prefix) }).body, body)
  }
})

test('every choice of fields, with the message cut at every point, in memory and streamed', async () => {
  const [fields, rest] = sections
  const raw = bytes('Subject: [x] a longer one\r\n than it was\r\n')
  const whole = bytes(TEXT)
  const section = sectionOf(TEXT)
  for (let choice = 1; choice < 81; choice++) {
    const kinds = fields.map((_, i) => Math.floor(choice / 3 ** i) % 3)
    const edits = { prefix: NOTHING, remove: kinds.flatMap((kind, i) => (kind === 1 ? [i] : [])), replace: kinds.flatMap((kind, index) => (kind === 2 ? [{ index, raw }] : [])) }
    const expected = expectedOf(fields, rest, edits)
    for (let at = 0; at <= whole.length; at++) {
      const pieces = [whole.subarray(0, at), whole.subarray(at)]
      await check(editMessage(heldMessage(pieces), section, edits).body, expected)
      if (choice % 8 === 0) await check(editMessage(streamedMessage(pieces), section, edits).body, expected)
    }
    const single = [...whole].map((byte) => Buffer.of(byte))
    await check(editMessage(heldMessage(single), section, edits).body, expected)
    await check(editMessage(streamedMessage(single), section, edits).body, expected)
  }
})

function randomMessage(random: Random, most: number): { fields: string[], rest: string } {
  const fields = Array.from({ length: random.below(most) }, () => {
    const folds = Array.from({ length: random.below(3) }, () => `\r\n ${'y'.repeat(random.below(60))}`)
    return `${random.pick(['Received', 'Subject', 'Authentication-Results', 'X'])}${random.pick(['', ' '])}:${'v'.repeat(random.below(60))}${folds.join('')}\r\n`
  })
  return { fields, rest: random.chance(0.1) ? '' : `\r\n${random.bytes(200)}` }
}

function randomEdits(random: Random, fields: readonly string[]): Edits {
  const remove: number[] = []
  const replace: { index: number, raw: Buffer }[] = []
  for (const index of fields.keys()) {
    const what = random.below(4)
    if (what === 1) remove.splice(random.below(remove.length + 1), 0, index)
    else if (what === 2) replace.splice(random.below(replace.length + 1), 0, { index, raw: bytes(`R: ${'r'.repeat(random.below(100))}\r\n`) })
  }
  return { prefix: NOTHING, remove, replace }
}

test('random messages, random edits, random pieces: no byte outside the named fields changes', async () => {
  for (let seed = 0; seed < 500; seed++) {
    const random = new Random(seed)
    const { fields, rest } = randomMessage(random, 12)
    const whole = bytes(fields.join('') + rest)
    const pieces = random.pieces(whole)
    const body = random.chance(0.5) ? heldMessage(pieces) : streamedMessage(pieces)
    const section = await readHeaderSection(body)
    assert.equal(section.fields.length, fields.length)
    const edits = randomEdits(random, fields)
    await check(editMessage(body, section, edits).body, expectedOf(fields, rest, edits))
  }
})

test('the same in a file, with fields on both sides of where its pieces meet', async (t) => {
  for (let seed = 0; seed < 8; seed++) {
    const random = new Random(seed)
    const { fields } = randomMessage(random, 4000)
    const rest = `\r\n${random.bytes(100)}${'b'.repeat(random.below(200_000))}`
    const body = await fileMessage(t, bytes(fields.join('') + rest))
    const section = await readHeaderSection(body)
    assert.equal(section.fields.length, fields.length)
    const edits = randomEdits(random, fields)
    await check(editMessage(body, section, edits).body, expectedOf(fields, rest, edits))
  }
})

test('a field as large as a section may have: its replacement is given in pieces too', async (t) => {
  const fields = ['A: 1\r\n', `Subject: ${'x'.repeat(200_000)}\r\n`, 'B: 2\r\n']
  const rest = '\r\nbody'
  const body = await fileMessage(t, bytes(fields.join('') + rest))
  const edits = { prefix: NOTHING, replace: [{ index: 1, raw: bytes(`Subject: y${'x'.repeat(200_000)}\r\n`) }] }
  await check(editMessage(body, await readHeaderSection(body), edits).body, expectedOf(fields, rest, edits))
})

test('in memory nothing is copied, and a body in a file is passed on as it is read', async () => {
  const whole = bytes(TEXT + 'z'.repeat(1000))
  const edited = editMessage(heldMessage([whole]), sectionOf(TEXT), { prefix: NOTHING, remove: [1] }).body
  assert.deepEqual(edited.memory!.map(({ byteOffset, length }) => [byteOffset - whole.byteOffset, length]), [[0, 6], [19, whole.length - 19]])
  assert.ok(edited.memory!.every(({ buffer }) => buffer === whole.buffer))
  const pieces = [bytes(TEXT), Buffer.alloc(100_000), Buffer.alloc(10)]
  const chunks = await chunksOf(editMessage(streamedMessage(pieces), sectionOf(TEXT), { prefix: NOTHING, remove: [1] }).body)
  assert.deepEqual([chunks.at(-2) === pieces[1], chunks.at(-1) === pieces[2]], [true, true])
})

test('lines that continue nothing go only where they would continue a field of ours', async () => {
  const lead = '\t; dmarc=pass header.from=bank.example\r\n still\r\n'
  const prefix = bytes('Authentication-Results: mx.example;\r\n dmarc=fail\r\n')
  const body = heldMessage([bytes(lead + TEXT)])
  const section = sectionOf(lead + TEXT)
  await check(editMessage(body, section, { prefix }).body, TEXT)
  await check(editMessage(body, section, { prefix, remove: [0] }).body, TEXT.slice(6))
  await check(editMessage(body, section, { prefix: NOTHING, remove: [0] }).body, lead + TEXT.slice(6))
  assert.equal(editMessage(body, section, { prefix: NOTHING }).body, body)
})

test('everything may go: what is left is the empty line, or nothing at all', async () => {
  for (const [text, left] of [['A: 1\r\nB: 2\r\n\r\n', '\r\n'], ['A: 1\r\nB: 2', ''], ['A: 1\r\nB: 2\r\n', '']] as const) {
    const { body } = editMessage(heldMessage([bytes(text)]), sectionOf(text), { prefix: NOTHING, remove: [1, 0, 1] })
    await check(body, left)
  }
})

test('a message that ends within its last field: the replacement ends so too', async () => {
  const text = 'A: 1\r\nSubject: x'
  const edits = { prefix: NOTHING, replace: [{ index: 1, raw: bytes('Subject: y') }] }
  await check(editMessage(heldMessage([bytes(text)]), sectionOf(text), edits).body, 'A: 1\r\nSubject: y')
})

test('a line end that stands alone belongs to its field', async () => {
  const text = 'A: 1\nB: 2\rC: 3\r\n\r\n'
  await check(editMessage(heldMessage([bytes(text)]), sectionOf(text), { prefix: NOTHING, remove: [1] }).body, 'A: 1\nC: 3\r\n\r\n')
})

test('to discard the edited message discards the original, and the other way round', async (t) => {
  const section = sectionOf(TEXT)
  for (const body of [heldMessage([bytes(TEXT)]), await fileMessage(t, bytes(TEXT))]) {
    const edited = editMessage(body, section, { prefix: NOTHING, remove: [0] }).body
    for await (const chunk of edited.chunks()) {
      assert.ok(chunk.length > 0)
      break
    }
    edited.discard()
    edited.discard()
    if (body.memory !== null) assert.deepEqual([body.memory, edited.memory], [[], []])
    await assert.rejects(chunksOf(body), /discarded/)
    await assert.rejects(chunksOf(edited), /discarded/)
  }
})

test('mistakes of the caller are said', () => {
  const body = heldMessage([bytes(TEXT)])
  const section = sectionOf(TEXT)
  const raw = bytes('X: y\r\n')
  for (const [edits, message, of = section] of [
    [{ prefix: bytes('X: y') }, /end with CRLF/],
    [{ prefix: bytes('X: y\n') }, /end with CRLF/],
    [{ prefix: NOTHING, remove: [4] }, /no field 4 among 4/],
    [{ prefix: NOTHING, remove: [-1] }, /no field -1/],
    [{ prefix: NOTHING, replace: [{ index: 9, raw }] }, /no field 9/],
    [{ prefix: NOTHING, remove: [0], replace: [{ index: 0, raw }] }, /field 0 is edited twice/],
    [{ prefix: NOTHING, replace: [{ index: 0, raw }, { index: 0, raw }] }, /field 0 is edited twice/],
    [{ prefix: NOTHING, replace: [{ index: 0, raw: bytes('X: y') }] }, /field 0 ends in another way/],
    [{ prefix: NOTHING }, /in a message of/, sectionOf(`A: ${'x'.repeat(1000)}\r\n\r\n`)],
  ] as readonly (readonly [Edits, RegExp, HeaderSection?])[]) assert.throws(() => editMessage(body, of, edits), message)
})
