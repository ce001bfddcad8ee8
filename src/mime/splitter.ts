/**
 * Takes a message apart while its bytes come (RFC 2046): header, content,
 * delimiter, header … Keeps of each part what the bounds allow and passes over
 * the rest. Pieces may be of any size; what is found does not depend on where
 * one ends.
 *
 * It looks where mail programs look, and a little further: parts behind a last
 * delimiter count, a multipart without delimiters is a text, text where a header
 * should be is text, messages and multiparts that are encoded are decoded and
 * read. A message that stands in another is read by the same splitter, unless it
 * has to be decoded first.
 */
import { readContentFields } from './content-fields.ts'
import { OpenBoundaries, type Delimiter } from './delimiter.ts'
import { readFields, type FieldsReading } from './fields.ts'
import { HeaderScan, type HeaderEnd } from './header-scan.ts'
import type { PartReading } from './part.ts'
import type { PartTree } from './part-tree.ts'
import { Window } from './window.ts'

interface Frame {
  readonly reading: PartReading
  /** offset of the content */
  readonly start: number
  /** of the open boundaries; -1 for a message */
  readonly level: number
  place: 'preamble' | 'parts' | 'epilogue'
}

type State =
  | { readonly at: 'header', readonly reading: PartReading, readonly scan: HeaderScan }
  /** content of a part, or the preamble of the innermost multipart */
  | { readonly at: 'content', readonly reading: PartReading, readonly start: number, lineStart: boolean }
  /** between a last delimiter and what follows it */
  | { readonly at: 'epilogue', lineStart: boolean }
  /** no more parts are taken */
  | { readonly at: 'end' }

export class Splitter {
  private readonly tree: PartTree
  private readonly window = new Window()
  private readonly boundaries = new OpenBoundaries()
  private readonly frames: Frame[] = []
  private state: State = { at: 'end' }

  constructor(tree: PartTree) {
    this.tree = tree
  }

  /** A message comes, which is in the part `parent` (-1: in none). */
  beginMessage(parent: number, depth: number): this {
    this.begin(parent, depth, 'text/plain')
    return this
  }

  /** The content of a multipart comes, whose header was read. */
  beginContent(reading: PartReading): this {
    this.open(reading, 0)
    return this
  }

  write(piece: Buffer): void {
    this.window.push(piece)
    this.advance(false)
  }

  end(): void {
    this.advance(true)
    const { state } = this
    const end = this.window.offset + this.window.at
    if (state.at === 'content') this.finish(state.reading, state.start, end)
    this.closeFrames(0, end, state.at !== 'end')
  }

  private advance(final: boolean): void {
    const { window } = this
    for (;;) {
      const { state } = this
      if (state.at === 'end') {
        window.at = window.bytes.length
        return
      }
      if (state.at === 'header') {
        const end = state.scan.scan(final)
        if (end === null) return
        this.headerEnded(state.reading, end)
      } else if (!this.searched(state, final)) return
    }
  }

  /** Looks for the next delimiter; false where there is none in what is there. */
  private searched(state: State & { lineStart: boolean }, final: boolean): boolean {
    const { window } = this
    const found = this.boundaries.search(window.bytes, { from: window.at, lineStart: state.lineStart, final })
    if (found.contentEnd > window.at) {
      if (state.at === 'content') state.reading.hold(window.bytes.subarray(window.at, found.contentEnd))
      state.lineStart = false
      window.at = found.contentEnd
    }
    if (found.level < 0) return false
    if (state.at === 'content') this.finish(state.reading, state.start, window.offset + found.contentEnd)
    this.delimiter(found as Delimiter)
    return true
  }

  private delimiter(found: Delimiter): void {
    const { window, frames } = this
    const inner = frames.findIndex((frame) => frame.level === found.level)
    this.closeFrames(inner + 1, window.offset + found.contentEnd, true)
    window.at = found.end
    const frame = frames[inner]
    if (frame === undefined) return
    if (frame.place === 'preamble') this.tree.preamble(frame.reading)
    frame.place = found.closing ? 'epilogue' : 'parts'
    this.boundaries.innermostClosed = found.closing
    const { part, index } = frame.reading
    if (found.closing) this.state = { at: 'epilogue', lineStart: true }
    else this.begin(index, part.depth + 1, part.type === 'multipart/digest' ? 'message/rfc822' : 'text/plain')
  }

  private begin(parent: number, depth: number, type: string): void {
    const reading = this.tree.add(parent, depth, type)
    if (reading === null) {
      this.state = { at: 'end' }
      return
    }
    const { maxHeaderBytes, maxMessageHeaderBytes } = this.tree.budget.limits
    const scan = new HeaderScan(this.window, this.boundaries, parent < 0 ? maxMessageHeaderBytes : maxHeaderBytes)
    this.state = { at: 'header', reading, scan }
  }

  private headerEnded(reading: PartReading, end: HeaderEnd): void {
    const { window } = this
    const { budget } = this.tree
    const root = reading.part.parent < 0
    if (end.cut) reading.part.note('header-too-long')
    let header = end.bytes
    let read = readFields(header, budget.limits.maxFields - budget.fields)
    const textFrom = end.cut || read.stray < 0 ? -1 : textStart(read, { root, emptyLine: end.by === 'empty-line', header })
    if (textFrom >= 0) {
      header = header.subarray(0, textFrom)
      read = readFields(header, budget.limits.maxFields - budget.fields)
      window.at = end.start + textFrom
    }
    budget.fields += read.fields.length
    if (read.over) reading.part.note('too-many-fields')
    reading.header(read.fields, read.content, this.frames.length)
    if (root && read.stray >= 0) this.textBetween(reading, header.subarray(read.stray))
    this.open(reading, window.offset + window.at)
  }

  /** What begins with a line that is no field, and has fields behind it. Those are part of it to whoever lets the content begin there. */
  private textBetween(reading: PartReading, text: Buffer): void {
    reading.part.note('text-between-fields')
    this.tree.betweenFields(reading, text)
  }

  /** The content begins here. */
  private open(reading: PartReading, start: number): void {
    const { part, index, kind, boundaries } = reading
    if (kind === 'message') {
      this.frames.push({ reading, start, level: -1, place: 'parts' })
      this.begin(index, part.depth + 1, 'text/plain')
      return
    }
    if (kind === 'multipart') {
      if (boundaries.length === 0) part.note('no-boundary')
      else {
        this.frames.push({ reading, start, level: this.boundaries.count, place: 'preamble' })
        this.boundaries.push(boundaries)
      }
    }
    this.state = { at: 'content', reading, start, lineStart: true }
  }

  /** The content that was held ends at `end`. */
  private finish(reading: PartReading, start: number, end: number): void {
    // That of a multipart with a boundary is judged when its frame is closed.
    if (reading.kind === 'multipart' && reading.boundaries.length > 0) return
    reading.part.encodedBytes = end - start
    this.tree.finish(reading)
  }

  /** Those from `first` on, inner ones first. `whole`: what is missing in them is their fault. */
  private closeFrames(first: number, end: number, whole: boolean): void {
    for (let i = this.frames.length - 1; i >= first; i--) {
      const frame = this.frames[i]
      if (frame === undefined) continue
      const { reading, start, level, place } = frame
      reading.part.encodedBytes = end - start
      if (level >= 0) this.boundaries.cut(level)
      if (place === 'preamble') this.tree.withoutDelimiters(reading)
      else if (whole && level >= 0 && place === 'parts') reading.part.note('not-closed')
    }
    this.frames.length = first
  }
}

interface Header {
  readonly root: boolean
  readonly emptyLine: boolean
  readonly header: Buffer
}

/**
 * Where the content really begins, if lines of it stand in place of a header:
 * where there is no empty line, where they stand behind all fields, or first
 * and nothing of MIME follows them, or where a delimiter follows the field that
 * gives its boundary.
 * Otherwise such lines are passed over (-1), those of the message itself as a text beside the content.
 */
function textStart(read: FieldsReading, { root, emptyLine, header }: Header): number {
  const { stray, strayFirst, strayLast, fields, content } = read
  if (!emptyLine || strayLast) return stray
  if (strayFirst) return (root ? fields.length === 0 : content.length === 0) ? stray : -1
  const line = /^--([^\r\n]{0,1024}?)[ \t]*[\r\n]/.exec(header.toString('latin1', stray, stray + 1100))?.[1]
  return line !== undefined && readContentFields(content, '').boundaries.includes(line) ? stray : -1
}
