/**
 * The messages of the conformance suites (see README.md of the suites), as
 * they are sent: with CRLF line ends. Where the suites are absent the list is
 * empty and `suitesMissing` says why.
 *
 * `expected` is what a gateway that normalises must make of a message; written
 * here for itself, from the rule alone, so that it shares no mistake with the
 * gateway: CR and LF that stand alone are line ends, NUL is left out.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'

export const SUITES = process.env['POSTERN_SUITES'] ?? join(import.meta.dirname, '../../../shared/suites')

export interface Sample {
  /** path inside the suites */
  readonly name: string
  /** as sent: every LF is CRLF; a lone CR and NUL are still in it */
  readonly sent: Buffer
  /** as it has to go on */
  readonly expected: Buffer
}

export function suitesMissing(part = ''): string | false {
  return existsSync(join(SUITES, part)) ? false : `no conformance suites at ${SUITES} (POSTERN_SUITES)`
}

export function mimeSamples(): Sample[] {
  return readAll('mime/mail-parser', (name) => name.endsWith('.eml'))
}

export function mailSamples(): Sample[] {
  return [...readAll('mail/t/data/nice', () => true), ...readAll('mail/t/data/spam', () => true)]
}

function readAll(folder: string, wanted: (name: string) => boolean): Sample[] {
  const root = join(SUITES, folder)
  if (!existsSync(root)) return []
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && wanted(entry.name))
  return files
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => {
      const sent = withCrlf(readFileSync(file))
      return { name: relative(SUITES, file), sent, expected: expectedOf(sent) }
    })
}

/** LF becomes CRLF where no CR stands before it, and the last line has an end: DATA carries whole lines only. */
export function withCrlf(raw: Buffer): Buffer {
  const text = raw.toString('latin1').replace(/\r?\n/g, '\r\n')
  return Buffer.from(text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1')
}

export function expectedOf(sent: Buffer): Buffer {
  const out: number[] = []
  for (let i = 0; i < sent.length; i++) {
    const byte = sent[i]
    if (byte === 0x00) continue
    if (byte === 0x0d) {
      out.push(0x0d, 0x0a)
      // NUL is left out before line ends are looked at.
      let next = i + 1
      while (sent[next] === 0x00) next++
      if (sent[next] === 0x0a) i = next
    } else if (byte === 0x0a) out.push(0x0d, 0x0a)
    else out.push(byte ?? 0)
  }
  return Buffer.from(out)
}
