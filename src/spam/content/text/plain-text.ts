/**
 * A part that is plain text, as it is read: lines are joined to paragraphs
 * (which reads `format=flowed`, RFC 3676, as it is meant, and everything else as
 * patterns need it), white space is one blank. What lies below very many empty
 * lines is not read by anybody: it counts as hidden.
 */
import { MAX_TEXT_CHARACTERS } from '../../content.ts'
import { MAX_EMPTY_LINES } from '../bounds.ts'
import { CodeArray, isAscii } from './codes.ts'
import { TextSink } from './text-sink.ts'

const codes = new CodeArray()
const sink = new TextSink(MAX_TEXT_CHARACTERS, true)

export interface PlainReading {
  readonly text: string
  readonly hidden: string
  /** it has no character beyond ASCII */
  readonly ascii: boolean
}

/** What lies below included. */
export function wholeText({ text, hidden }: PlainReading): string {
  return hidden === '' ? text : `${text}\n${hidden}`
}

/** A line that goes on in the next one; `-- ` stands before a signature (RFC 3676 §4.3). */
const SOFT_BREAK = / (?<!(?:^|\n)-- )\r?\n(?:>[> ]*| )?/g

/** `DelSp=yes` (§4.1): the blank before a soft line break is none of the text, so that a word may go on behind it. */
export function joinedLines(text: string): string {
  return text.replace(SOFT_BREAK, '')
}

const LINE_FEED = 10

function isBlank(code: number): boolean {
  return code <= 32 || code === 0xa0
}

/** Where what lies below begins; -1: nothing does. So many empty lines are as many characters: one of every so many is looked at, and what is around it where it is a blank. */
function startOfBelow(text: string): number {
  for (let probe = MAX_EMPTY_LINES; probe < text.length; probe += MAX_EMPTY_LINES) {
    if (!isBlank(text.charCodeAt(probe))) continue
    let from = probe
    while (from > 0 && isBlank(text.charCodeAt(from - 1))) from--
    let lines = -1
    let to = from
    for (; to < text.length && isBlank(text.charCodeAt(to)); to++) if (text.charCodeAt(to) === LINE_FEED) lines++
    if (lines > MAX_EMPTY_LINES && from > 0 && to < text.length) return to
    probe = Math.max(probe, to - MAX_EMPTY_LINES)
  }
  return -1
}

export function readPlainText(text: string): PlainReading {
  const below = startOfBelow(text)
  const read = codes.of(text, isAscii(text))
  let hidden = ''
  if (below >= 0) {
    sink.reset()
    sink.add(read, below, text.length)
    hidden = sink.toString()
  }
  sink.reset()
  sink.add(read, 0, below >= 0 ? below : text.length)
  return { text: sink.toString(), hidden, ascii: sink.ascii }
}
