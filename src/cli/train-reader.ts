/**
 * A process of its own that reads mail as root for `postern train`, which has
 * given root up: it reads the files that it was told of at its start, in their
 * order, and writes them to its output in frames (train-frames.ts). It takes one
 * line of JSON, an array of paths, and nothing else, ever: who looks at the
 * mail, and may be tricked by it, cannot ask for other files. It ends when its
 * input does, or when nobody reads what it writes.
 */
import { createInterface } from 'node:readline'
import { frameOf, MAX_DATA_BYTES, type Frame } from './train-frames.ts'
import { MailFiles, reason, type MailFile } from './train-files.ts'

const FILES_AT_ONCE = 100

async function send(frame: Frame): Promise<void> {
  await new Promise<void>((sent) => void process.stdout.write(frameOf(frame), () => sent()))
}

async function sendSearch(mail: MailFiles, path: string): Promise<readonly MailFile[]> {
  const search = await mail.find(path)
  if (search.status === 'none') {
    await send({ kind: 'none', cause: search.cause })
    return []
  }
  for (let at = 0; at < search.files.length; at += FILES_AT_ONCE) await send({ kind: 'files', files: search.files.slice(at, at + FILES_AT_ONCE).map((file) => ({ path: file.path, bytes: file.bytes })) })
  await send({ kind: 'found' })
  return search.files
}

async function sendFile(file: MailFile): Promise<void> {
  try {
    for await (const chunk of file.read()) for (let at = 0; at < chunk.length; at += MAX_DATA_BYTES) await send({ kind: 'data', bytes: chunk.subarray(at, at + MAX_DATA_BYTES) })
    await send({ kind: 'end' })
  } catch (error) {
    await send({ kind: 'broken', cause: reason(error) })
  }
}

async function perform(paths: readonly string[]): Promise<void> {
  const mail = new MailFiles()
  const files: MailFile[] = []
  for (const path of paths) for (const file of await sendSearch(mail, path)) files.push(file)
  for (const file of files) await sendFile(file)
  await mail.close()
}

process.title = 'postern: train, reading mail'
process.stdout.on('error', () => process.exit(0))
const lines = createInterface({ input: process.stdin })
lines.once('line', (line) => {
  void perform(JSON.parse(line) as string[]).then(() => process.exit(0))
})
lines.once('close', () => process.exit(0))
