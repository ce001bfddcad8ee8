/**
 * The file that workers read what was learnt from: a header of 120 bytes, then
 * the places of a TokenTable of counts, then those of the linear model's. All
 * numbers have the least significant byte first.
 *
 *      0  "PSTNBAYS"
 *      8  version of this format
 *     12  version of the tokens
 *     16  messages of ham, 20 of spam
 *     24  tokens
 *     28  places
 *     32  revision of the store, as a double
 *     40  places of the linear model; 0: there is none
 *     44  CRC-32 of all places
 *     48  its bias, largest weight and limit of wanted mail (NaN: not known), doubles
 *     72  revision of the store that the linear model was made at, as a double
 *     80  seed of the places, 84 of those of the linear model
 *     88  wanted messages in doubt
 *     92  the most that is taken for that limit, a double
 *    100  wanted messages that are remembered, 104 unwanted ones
 *    108  wanted messages that the linear model was made of, 112 unwanted ones
 *    116  CRC-32 of bytes 0 to 115
 *
 * It is written beside its name, synced and renamed: a reader sees the old one
 * or the new one. Whoever has the old one open goes on with it.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { endianness } from 'node:os'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { MOST_LIMIT } from './classifier.ts'
import type { Lessons } from './lessons.ts'
import type { LinearModel } from './linear-model.ts'
import { TOKENS_VERSION } from './store.ts'
import { TokenTable } from './table.ts'

export const MODEL_FILE = 'bayes.model'

const MAGIC = 'PSTNBAYS'
const FORMAT_VERSION = 5
const HEADER_BYTES = 120
const CHECKED_BYTES = 116
/** of a gigabyte; a file that says more of itself is damaged */
const MAX_SLOTS = 2 ** 28
const SLOT_BYTES = 4
const FILE_MODE = 0o640

export interface BayesModel {
  readonly ham: number
  readonly spam: number
  readonly tokens: number
  readonly revision: number
  /** that were still remembered when it was made */
  readonly lessons: Lessons
  readonly table: TokenTable
  readonly linear: LinearModel | undefined
  /** the revision that `linear` was made at; it is made anew less often than the table */
  readonly linearRevision: number
  /** and so many messages that it was made of */
  readonly linearLessons: Lessons
}

export type ModelReading =
  | { readonly status: 'read'; readonly model: BayesModel }
  /** there is no such file */
  | { readonly status: 'none' }
  | { readonly status: 'unreadable'; readonly cause: string }

type Numbers = Pick<BayesModel, 'ham' | 'spam' | 'tokens' | 'revision' | 'lessons'>

export interface ModelHead extends Numbers {
  /** of the linear model */
  readonly wantedLimit: number | undefined
  readonly mostLimit: number
  readonly doubtful: number
}

export type HeadReading =
  | { readonly status: 'read'; readonly head: ModelHead }
  | { readonly status: 'none' | 'unreadable' }

/** What its header says, without the rest. Never throws. */
export function readModelHead(path: string): HeadReading {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const bytes = Buffer.alloc(HEADER_BYTES)
    if (readSync(file, bytes, 0, HEADER_BYTES, 0) < HEADER_BYTES || headProblem(bytes) !== undefined) return { status: 'unreadable' }
    return { status: 'read', head: { ...headOf(bytes), ...limitsOf(bytes) } }
  } catch (error) {
    return { status: error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'none' : 'unreadable' }
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** Reads it whole, in one piece. Never throws. */
export function readModel(path: string): ModelReading {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const { size } = fstatSync(file)
    if (size > HEADER_BYTES + MAX_SLOTS * SLOT_BYTES) return unreadable('it is larger than any')
    const bytes = Buffer.alloc(size)
    for (let at = 0; at < size;) {
      const read = readSync(file, bytes, at, size - at, at)
      if (read === 0) return unreadable('it became shorter while it was read')
      at += read
    }
    return parseModel(bytes)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { status: 'none' }
    return unreadable(error instanceof Error ? error.message : String(error))
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** @param bytes of the whole file; the model goes on using them */
export function parseModel(bytes: Buffer): ModelReading {
  const problem = headProblem(bytes)
  if (problem !== undefined) return unreadable(problem)
  const [count, linear] = [bytes.readUInt32LE(28), bytes.readUInt32LE(40)]
  const places = bytes.subarray(HEADER_BYTES)
  if (count === 0 || places.length !== (count + linear) * SLOT_BYTES) return unreadable('it is shorter or longer than it says')
  if (crc32(places) !== bytes.readUInt32LE(44)) return unreadable('its tokens are damaged')
  if (endianness() === 'BE') places.swap32()
  // A slice of something larger may begin between two numbers.
  const aligned = places.byteOffset % SLOT_BYTES === 0 ? places : Buffer.from(new Uint8Array(places).buffer)
  const tableAt = (first: number, slots: number, seed: number): TokenTable => new TokenTable(new Uint32Array(aligned.buffer, aligned.byteOffset + first * SLOT_BYTES, slots), seed)
  return {
    status: 'read',
    model: {
      ...headOf(bytes), table: tableAt(0, count, bytes.readUInt32LE(80)),
      linearRevision: bytes.readDoubleLE(72), linearLessons: { hams: bytes.readUInt32LE(108), spams: bytes.readUInt32LE(112) },
      linear: linear === 0 ? undefined : { table: tableAt(count, linear, bytes.readUInt32LE(84)), bias: bytes.readDoubleLE(48), largestWeight: bytes.readDoubleLE(56), ...limitsOf(bytes) },
    },
  }
}

function headProblem(bytes: Buffer): string | undefined {
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return 'it is no model'
  if (crc32(bytes.subarray(0, CHECKED_BYTES)) !== bytes.readUInt32LE(CHECKED_BYTES)) return 'its header is damaged'
  const format = bytes.readUInt32LE(8)
  if (format !== FORMAT_VERSION) return `it has format ${format}; known here: ${FORMAT_VERSION}`
  const version = bytes.readUInt32LE(12)
  return version === TOKENS_VERSION ? undefined : `it has tokens of version ${version}, this Postern makes ${TOKENS_VERSION}: the classifier has to be trained again`
}

function headOf(bytes: Buffer): Numbers {
  return { ham: bytes.readUInt32LE(16), spam: bytes.readUInt32LE(20), tokens: bytes.readUInt32LE(24), revision: bytes.readDoubleLE(32), lessons: { hams: bytes.readUInt32LE(100), spams: bytes.readUInt32LE(104) } }
}

function limitsOf(bytes: Buffer): Pick<ModelHead, 'wantedLimit' | 'mostLimit' | 'doubtful'> {
  return { wantedLimit: known(bytes.readDoubleLE(64)), mostLimit: bytes.readDoubleLE(92), doubtful: bytes.readUInt32LE(88) }
}

function known(number: number): number | undefined {
  return Number.isNaN(number) ? undefined : number
}

export function modelBytes({ ham, spam, tokens, revision, lessons, table, linear, linearRevision, linearLessons }: BayesModel): readonly Buffer[] {
  const places = placesOf(table)
  const weights = linear === undefined ? Buffer.alloc(0) : placesOf(linear.table)
  const header = Buffer.alloc(HEADER_BYTES)
  header.write(MAGIC, 0, 'latin1')
  header.writeUInt32LE(FORMAT_VERSION, 8)
  header.writeUInt32LE(TOKENS_VERSION, 12)
  header.writeUInt32LE(ham, 16)
  header.writeUInt32LE(spam, 20)
  header.writeUInt32LE(tokens, 24)
  header.writeUInt32LE(places.length / SLOT_BYTES, 28)
  header.writeDoubleLE(revision, 32)
  header.writeUInt32LE(weights.length / SLOT_BYTES, 40)
  header.writeUInt32LE(crc32(weights, crc32(places)), 44)
  header.writeDoubleLE(linear?.bias ?? 0, 48)
  header.writeDoubleLE(linear?.largestWeight ?? 0, 56)
  header.writeDoubleLE(linear?.wantedLimit ?? NaN, 64)
  header.writeDoubleLE(linearRevision, 72)
  header.writeUInt32LE(table.seed, 80)
  header.writeUInt32LE(linear?.table.seed ?? 0, 84)
  header.writeUInt32LE(linear?.doubtful ?? 0, 88)
  header.writeDoubleLE(linear?.mostLimit ?? MOST_LIMIT, 92)
  header.writeUInt32LE(lessons.hams, 100)
  header.writeUInt32LE(lessons.spams, 104)
  header.writeUInt32LE(linearLessons.hams, 108)
  header.writeUInt32LE(linearLessons.spams, 112)
  header.writeUInt32LE(crc32(header.subarray(0, CHECKED_BYTES)), CHECKED_BYTES)
  return [header, places, weights]
}

function placesOf({ slots }: TokenTable): Buffer {
  const own = Buffer.from(slots.buffer, slots.byteOffset, slots.byteLength)
  return endianness() === 'BE' ? Buffer.from(own).swap32() : own
}

/** Rejects where it cannot be written; then the old one stays. */
export async function writeModel(path: string, model: BayesModel): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const file = await open(temporary, 'w', FILE_MODE)
    try {
      for (const piece of modelBytes(model)) await file.writeFile(piece)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncDirectory(dirname(path))
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function unreadable(cause: string): ModelReading {
  return { status: 'unreadable', cause }
}
