/**
 * The answer of spamd (SpamAssassin's PROTOCOL, version 1.5) to REPORT:
 *
 *     SPAMD/1.1 0 EX_OK
 *     Content-length: 1234
 *     Spam: True ; 1000.0 / 5.0
 *
 *     …the report
 *
 * and of its errors, which have the first line only. The report is made by a
 * template of the site's; in SpamAssassin's own the rules stand in a table at
 * the end. A preview of the message stands before it, so nothing above the last
 * such head of a table is believed; where there is none, there are no symbols.
 */
import { BoundedBytes } from './bounded-bytes.ts'
import { mostWeighty, scoreOf, symbolOf } from './engine-words.ts'
import type { EngineSymbol } from './engine.ts'
import type { AnswerReader } from './socket-exchange.ts'

export type SpamdAnswer =
  | { readonly status: 'ok'; readonly text: string; readonly verdict: SpamdVerdict | undefined; readonly symbols: readonly EngineSymbol[] }
  | { readonly status: 'error'; readonly text: string }

export interface SpamdVerdict {
  readonly spam: boolean
  readonly score: number
  readonly threshold: number
}

export const MAX_ANSWER_BYTES = 262_144
const MAX_HEAD_BYTES = 8192
const MAX_ROWS = 1000

export class SpamdAnswerReader implements AnswerReader {
  readonly #kept = new BoundedBytes(MAX_ANSWER_BYTES)
  /** where the search for the end of the head goes on */
  #from = 0
  /** of the answer, once its length is known */
  #total: number | undefined

  push(piece: Buffer): 'more' | 'whole' | 'bad' {
    if (this.#total !== undefined && this.#kept.length >= this.#total) return 'whole'
    if (!this.#kept.push(piece)) return 'bad'
    if (this.#total === undefined) {
      const end = this.#kept.bytes().indexOf('\r\n\r\n', this.#from, 'latin1')
      if (end < 0) {
        this.#from = Math.max(0, this.#kept.length - 3)
        return this.#kept.length > MAX_HEAD_BYTES ? 'bad' : 'more'
      }
      // Without a length the end of the connection is the end of the answer.
      const length = /^content-length:[ \t]*(\d{1,9})[ \t]*$/im.exec(this.#kept.bytes().toString('latin1', 0, end))?.[1]
      this.#total = length === undefined ? Infinity : end + 4 + Number(length)
      if (this.#total !== Infinity && this.#total > MAX_ANSWER_BYTES) return 'bad'
    }
    return this.#kept.length >= this.#total ? 'whole' : 'more'
  }

  end(): 'whole' | 'bad' {
    // An error is one line, and then nothing.
    if (this.#total === undefined) return /^SPAMD\/\S+ [1-9]\d* /.test(this.#text()) ? 'whole' : 'bad'
    return this.#total === Infinity || this.#kept.length >= this.#total ? 'whole' : 'bad'
  }

  answer(): SpamdAnswer | undefined {
    return parseSpamdAnswer(this.#text())
  }

  #text(): string {
    return this.#kept.bytes().toString('latin1')
  }
}

export function parseSpamdAnswer(whole: string): SpamdAnswer | undefined {
  const [head = '', ...rest] = whole.split('\r\n\r\n')
  const [first = '', ...fields] = head.split(/\r?\n/)
  const [, code, text = ''] = /^SPAMD\/\d+\.\d+ (\d{1,5}) ?(.*)$/.exec(first) ?? []
  if (code === undefined) return undefined
  if (Number(code) !== 0) return { status: 'error', text: `${code} ${text}` }
  const spam = fields.find((field) => /^spam:/i.test(field))
  return { status: 'ok', text, verdict: spam === undefined ? undefined : verdictOf(spam), symbols: reportedSymbols(rest.join('\r\n\r\n')) }
}

function verdictOf(field: string): SpamdVerdict | undefined {
  const [, word = '', points, limit] = /^spam:\s*(true|false|yes|no)\s*;\s*(-?[\d.]{1,12})\s*\/\s*(-?[\d.]{1,12})\s*$/i.exec(field) ?? []
  const score = scoreOf(Number(points))
  const threshold = scoreOf(Number(limit))
  return score === undefined || threshold === undefined ? undefined : { spam: /^[ty]/i.test(word), score, threshold }
}

/** Rows of `points name description`, and lines that go on with a description. */
export function reportedSymbols(report: string): readonly EngineSymbol[] {
  const lines = report.split(/\r?\n/)
  const head = lines.findLastIndex((line) => /^\s*-{3,}\s+-{3,}\s+-{3,}/.test(line))
  if (head < 0) return []
  const rows: { name: string; score: number; description: string }[] = []
  for (const line of lines.slice(head + 1)) {
    const [, points, name, description = ''] = /^\s*(-?\d{1,7}(?:\.\d{1,6})?)\s+([A-Za-z_]\w{0,99})(?:\s+(.*))?$/.exec(line) ?? []
    const last = rows.at(-1)
    if (points !== undefined && name !== undefined) {
      if (rows.length >= MAX_ROWS) break
      rows.push({ name, score: Number(points), description: description.trim() })
    } else if (last !== undefined && /^\s{10,}\S/.test(line)) {
      if (last.description.length < 500) last.description += ` ${line.trim()}`
    } else if (line.trim() === '' && rows.length > 0) break
  }
  return mostWeighty(rows.map(symbolOf))
}
