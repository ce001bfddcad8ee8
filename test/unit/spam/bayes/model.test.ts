/** Counts in eight bits, the packed table, its file, and how a worker follows the file. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { BayesTable } from '../../../../src/spam/bayes/bayes-table.ts'
import { COUNT_OF, countCode } from '../../../../src/spam/bayes/count-code.ts'
import { packWeights } from '../../../../src/spam/bayes/linear-model.ts'
import { MODEL_FILE, modelBytes, parseModel, readModel, readModelHead, writeModel, type BayesModel } from '../../../../src/spam/bayes/model-file.ts'
import { hamCount, spamCount, TokenTable } from '../../../../src/spam/bayes/table.ts'
import { tokenKeys } from '../../../../src/spam/bayes/store.ts'
import { temporaryDirectory } from '../../../support/process.ts'
import { letter, rowsOf, taught, tokensOf } from './bayes-fixture.ts'

test('a count is what it was, or near to it', () => {
  for (let count = 0; count < 64; count++) assert.equal(COUNT_OF[countCode(count)], count)
  for (let count = 64; count < 5e8; count = Math.ceil(count * 1.013)) {
    const held = COUNT_OF[countCode(count)] ?? 0
    assert.ok(Math.abs(held - count) <= count * 0.05, `${count} → ${held}`)
  }
  assert.equal(countCode(1e15), 255)
  assert.equal(countCode(-3), 0)
})

/** Numbers as hashes are: anywhere. */
function tokens(count: number, seed: number): number[] {
  let state = seed
  const next = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0)
  const mix = () => (next() ^ (next() >>> 7)) >>> 0
  return Array.from({ length: count }, () => (mix() % 0x80000) * 0x100000000 + mix())
}

const find = (table: TokenTable, key: number) => table.find(key % 0x100000000, Math.floor(key / 0x100000000))

test('the table finds what is in it, and hardly ever what is not', () => {
  const known = tokens(60_000, 7)
  const table = TokenTable.for(known.length)
  assert.ok(table.add(rowsOf(new Map(known.map((key, at) => [key, { ham: at % 50, spam: (at + 1) % 60 }])))))
  let wrong = 0
  for (const [at, key] of known.entries()) {
    const counts = find(table, key)
    if (hamCount(counts) !== at % 50 || spamCount(counts) !== (at + 1) % 60) wrong++
  }
  // Another token may have the same place and the same mark.
  assert.ok(wrong < 60, `${wrong} of 60000 are taken for others`)
  const taken = tokens(60_000, 99).filter((key) => find(table, key) !== 0).length
  assert.ok(taken < 60, `${taken} of 60000 unknown tokens are found`)
})

test('a table that is full says so, and ends a search', () => {
  const table = new TokenTable(new Uint32Array(8), 1)
  const keys = tokens(9, 3)
  assert.equal(table.add(rowsOf(new Map(keys.map((key) => [key, { ham: 1, spam: 0 }])))), false)
  assert.equal(find(table, tokens(1, 12345)[0]!), 0)
})

/** Numbers of a sum whose steps are spread evenly: tokens that anybody could find words for. */
function crowd(count: number): number[] {
  return Array.from({ length: count }, (_, at) => {
    const step = Math.imul(at + 1, 2_654_435_761) >>> 0
    return (((step >>> 22) << 22) | ((step >>> 5) & 0x1fff)) >>> 0
  })
}

test('tokens that were chosen to lie in a row do not: where they lie is a secret', () => {
  const lows = [...new Set([...crowd(40_000), ...Array.from({ length: 40_000 }, (_, at) => 0x4000_0000 + at)])]
  for (const seed of [0, 1, 0xffff_ffff, undefined]) {
    const table = TokenTable.for(lows.length, seed)
    assert.ok(lows.every((low) => table.put({ low, mark: 7, value: 0x101 })), `${seed}`)
    const { slots } = table
    let row = 0
    let longest = 0
    for (const held of slots) {
      row = held === 0 ? 0 : row + 1
      longest = Math.max(longest, row)
    }
    assert.ok(longest < 500, `${longest} in a row`)
  }
  const [one, other] = [TokenTable.for(10), TokenTable.for(10)]
  assert.notEqual(one.seed, other.seed)
})

test('a search ends before it takes long, also in a table that somebody else has filled', () => {
  const table = new TokenTable(new Uint32Array(1_000_000).fill(0x0001_0101), 5)
  assert.equal(table.put({ low: 1, mark: 2, value: 1 }), false)
  assert.equal(table.find(1, 2), 0)
  assert.equal(table.find(1, 1), 0x101)
})

test('rows are added piece by piece', () => {
  const keys = tokens(5000, 11)
  const rows = rowsOf(new Map(keys.map((key) => [key, { ham: 2, spam: 1 }])))
  const [whole, pieces] = [TokenTable.for(5000, 3), TokenTable.for(5000, 3)]
  whole.add(rows)
  for (let from = 0; from < keys.length; from += 999) assert.ok(pieces.add(rows, { from, to: from + 999 }))
  assert.deepEqual(pieces.slots, whole.slots)
})

function model(): BayesModel {
  const { table } = taught({ ham: [letter('hello friend')], spam: [letter('buy now')] }, 3, 4_000_000_001)
  const linear = { ...packWeights({ tokens: Uint32Array.of(7, 2 ** 31 + 5), importance: Float32Array.of(1, 3.5), weights: Float64Array.of(-0.5, 0.25), seed: 77 }), bias: -0.125, wantedLimit: 1.75, mostLimit: 2.25, doubtful: 3 }
  return { lessons: { hams: 240, spams: 260 }, table, ham: 250, spam: 300, tokens: 40, revision: 17, linear, linearRevision: 16, linearLessons: { hams: 230, spams: 255 } }
}

test('a model is the same after it was written and read', async () => {
  const directory = temporaryDirectory('bayes-model')
  const path = join(directory, MODEL_FILE)
  assert.deepEqual(readModel(path), { status: 'none' })
  await writeModel(path, model())
  const reading = readModel(path)
  assert.equal(reading.status, 'read')
  assert.deepEqual(reading.model, model())
  assert.deepEqual(readModelHead(path), { status: 'read', head: { ham: 250, spam: 300, tokens: 40, revision: 17, lessons: { hams: 240, spams: 260 }, wantedLimit: 1.75, mostLimit: 2.25, doubtful: 3 } })
  assert.deepEqual([reading.model.table.seed, reading.model.linear?.table.seed], [4_000_000_001, 77])
  for (const key of tokenKeys(tokensOf(letter('hello friend')))) assert.notEqual(find(reading.model.table, key), 0)
  const present = model().linear
  assert.ok(present)
  for (const other of [{ ...model(), linear: undefined }, { ...model(), linear: { ...present, wantedLimit: undefined } }]) {
    await writeModel(path, other)
    const again = readModel(path)
    assert.equal(again.status, 'read')
    assert.deepEqual(again.model, other)
  }
  assert.deepEqual(readdirSync(directory), [MODEL_FILE])
  assert.equal(statSync(path).mode & 0o007, 0)
})

test('a model that cannot be written leaves the old one, and nothing beside it', async () => {
  const directory = temporaryDirectory('bayes-model')
  await assert.rejects(writeModel(join(directory, 'none', MODEL_FILE), model()), /ENOENT/)
  assert.deepEqual(readdirSync(directory), [])
})

test('each damaged byte is seen, and each missing one', () => {
  const bytes = Buffer.concat(modelBytes(model()))
  const at = (index: number, change: (copy: Buffer) => Buffer) => {
    const reading = parseModel(change(Buffer.from(bytes)))
    assert.equal(reading.status, 'unreadable', `at ${index}`)
    return reading.cause
  }
  const flip = (index: number) => at(index, (copy) => {
    copy[index] = (copy[index] ?? 0) ^ 0x10
    return copy
  })
  for (let index = 0; index < 120; index++) flip(index)
  for (let index = 120; index < bytes.length; index += 97) flip(index)
  for (const length of [0, 7, 119, 120, 121, bytes.length - 4, bytes.length - 1]) at(length, (copy) => copy.subarray(0, length))
  assert.match(flip(200), /tokens are damaged/)
  const shifted = Buffer.concat([Buffer.from('x'), bytes]).subarray(1)
  assert.equal(parseModel(shifted).status, 'read')
})

test('a worker takes up a new model, keeps the old one when the new one is damaged, and tells it once', async () => {
  const directory = temporaryDirectory('bayes-model')
  const path = join(directory, MODEL_FILE)
  const told: string[] = []
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: (facts: Readonly<Record<string, unknown>>, text: string) => void told.push(`${text}: ${String(facts['cause'])}`) }
  const table = new BayesTable(directory, log)
  const revision = (): number | undefined => table.model?.revision
  assert.equal(table.refresh(), false)
  assert.equal(revision(), undefined)
  await writeModel(path, model())
  assert.equal(table.refresh(), true)
  assert.equal(revision(), 17)
  assert.equal(table.refresh(), false)
  await writeModel(path, { ...model(), revision: 18 })
  assert.equal(table.refresh(), true)
  assert.equal(revision(), 18)
  writeFileSync(path, readFileSync(path).subarray(0, 126))
  assert.equal(table.refresh(), false)
  assert.equal(table.refresh(), false)
  assert.equal(revision(), 18)
  assert.equal(told.length, 1)
  assert.match(told[0] ?? '', /the old one stays: it is shorter/)
  rmSync(path)
  assert.equal(table.refresh(), true)
  assert.equal(revision(), undefined)
  assert.ok(!existsSync(path))
})

test('a million tokens are six megabytes', () => {
  assert.ok(TokenTable.for(1_000_000).slots.byteLength < 6e6)
  assert.equal(tokenKeys(tokensOf(letter('x'))).every((key) => key < 2 ** 51), true)
})
