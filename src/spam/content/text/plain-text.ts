/**
 * A part that is plain text, as it is read: lines are joined to paragraphs
 * (which reads `format=flowed`, RFC 3676, as it is meant, and everything else as
 * patterns need it), white space is one blank.
 */
import { MAX_TEXT_CHARACTERS } from '../../content.ts'
import { CodeArray, isAscii } from './codes.ts'
import { TextSink } from './text-sink.ts'

const codes = new CodeArray()
const sink = new TextSink(MAX_TEXT_CHARACTERS, true)

export interface PlainReading {
  readonly text: string
  /** it has no character beyond ASCII */
  readonly ascii: boolean
}

export function readPlainText(text: string): PlainReading {
  sink.reset()
  sink.add(codes.of(text, isAscii(text)), 0, text.length)
  return { text: sink.toString(), ascii: sink.ascii }
}
