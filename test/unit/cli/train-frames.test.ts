import assert from 'node:assert/strict'
import { test } from 'node:test'
import { frameOf, framesOf, type Frame } from '../../../src/cli/train-frames.ts'

const FRAMES: readonly Frame[] = [
  { kind: 'files', files: [{ path: '/home/bob/Maildir/cur/1:2,S', bytes: 7 }, { path: '/ä\n"', bytes: 0 }] }, { kind: 'files', files: [] }, { kind: 'found' }, { kind: 'none', cause: 'there is no such file' },
  { kind: 'data', bytes: Buffer.from([0, 1, 2, 255]) }, { kind: 'data', bytes: Buffer.alloc(0) }, { kind: 'end' }, { kind: 'broken', cause: 'ä' },
]

async function read(pieces: readonly Buffer[]): Promise<Frame[]> {
  async function* stream(): AsyncGenerator<Buffer> {
    for (const piece of pieces) yield await Promise.resolve(piece)
  }
  const found: Frame[] = []
  for await (const frame of framesOf(stream())) found.push(frame)
  return found
}

test('frames are the same in pieces of any size', async () => {
  const bytes = Buffer.concat(FRAMES.map(frameOf))
  for (let at = 0; at <= bytes.length; at++) assert.deepEqual(await read([bytes.subarray(0, at), bytes.subarray(at)]), FRAMES, `cut at ${at}`)
  assert.deepEqual(await read(Array.from(bytes, (byte) => Buffer.from([byte]))), FRAMES)
})

test('half a frame at the end is none', async () => {
  const bytes = Buffer.concat(FRAMES.map(frameOf))
  assert.deepEqual(await read([bytes.subarray(0, -1)]), FRAMES.slice(0, -1))
})

test('what is no frame is refused, before it is waited for', async () => {
  await assert.rejects(read([Buffer.from([99, 0, 0, 0, 0])]), /no frame/)
  await assert.rejects(read([Buffer.from([3, 0xff, 0xff, 0xff, 0xff])]), /too large/)
})
