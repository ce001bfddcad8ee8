/** Counts in eight bits, the packed table, its file, and how a worker follows the file. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { BayesTable } from '../../../../src/spam/bayes/bayes-table.ts'
import { COUNT_OF, countCode } from '../../../../src/spam/bayes/count-code.ts'
import { packWeights } from '../../../../src/spam/bayes/linear-model.ts'
import { MODEL_FILE, modelBytes, parseModel, readModel, writeModel, type BayesModel } from '../../../../src/spam/bayes/model-file.ts'
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
  const table = new TokenTable(new Uint32Array(8))
  const keys = tokens(9, 3)
  assert.equal(table.add(rowsOf(new Map(keys.map((key) => [key, { ham: 1, spam: 0 }])))), false)
  assert.equal(find(table, tokens(1, 12345)[0]!), 0)
})

function model(): BayesModel {
  const { table } = taught({ ham: [letter('hello friend')], spam: [letter('buy now')] }, 3)
  const linear = { ...packWeights({ tokens: Uint32Array.of(7, 2 ** 31 + 5), importance: Float32Array.of(1, 3.5), weights: Float64Array.of(-0.5, 0.25) }), bias: -0.125, wantedLimit: 1.75 }
  return { table, ham: 250, spam: 300, tokens: 40, revision: 17, linear, linearRevision: 16 }
}

test('a model is the same after it was written and read', async () => {
  const directory = temporaryDirectory('bayes-model')
  const path = join(directory, MODEL_FILE)
  assert.deepEqual(readModel(path), { status: 'none' })
  await writeModel(path, model())
  const reading = readModel(path)
  assert.equal(reading.status, 'read')
  assert.deepEqual(reading.model, model())
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
  for (let index = 0; index < 84; index++) flip(index)
  for (let index = 96; index < bytes.length; index += 97) flip(index)
  for (const length of [0, 7, 95, 96, 97, bytes.length - 4, bytes.length - 1]) at(length, (copy) => copy.subarray(0, length))
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
  writeFileSync(path, readFileSync(path).subarray(0, 100))
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
