/**
 * A part that is plain text, as it is read: lines are joined to paragraphs
 * (which reads `format=flowed`, RFC 3676, as it is meant, and everything else as
 * patterns need it), white space is one blank. What lies below very many empty
 * lines is not read by anybody: it counts as hidden.
 */
import { MAX_TEXT_CHARACTERS } from '../../content.ts'
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

export function readPlainText(text: string): PlainReading {
  sink.reset()
  sink.add(codes.of(text, isAscii(text)), 0, text.length)
  const { below, length, ascii } = sink
  if (below >= length) return { text: sink.toString(), hidden: '', ascii }
  return { text: sink.slice(0, below), hidden: sink.slice(below + 1, length), ascii }
}
