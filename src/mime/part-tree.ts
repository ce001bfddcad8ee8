/**
 * The parts of a message in the order in which they stand, under one budget,
 * and what is done with a part when its content is there: it is decoded, and
 * where a message or a multipart comes out, that is read like the one it stands
 * in.
 */
import { cleanFileName } from './content-fields.ts'
import type { MimeBudget } from './limits.ts'
import { isShown, Part, PartReading } from './part.ts'
import { Splitter } from './splitter.ts'
import { uuFiles } from './uuencode.ts'

/** Of the parts, what is left for texts that stand behind all others: one in so many. */
const TEXT_SHARE = 21
/** And for files in texts, which are short: nobody sends more of them than this share. */
const UU_SHARE = 5
/** Parts beyond those that are kept, of which only the texts are. */
const MAX_SPARE_PARTS = 2000

export class PartTree {
  readonly parts: Part[] = []
  readonly budget: MimeBudget
  private spares = 0
  /** uuencoded ones */
  private files = 0

  constructor(budget: MimeBudget) {
    this.budget = budget
  }

  /** Null: there are as many as there may be, and more than are looked at for text. */
  add(parent: number, depth: number, type: string): PartReading | null {
    const { maxParts, maxDepth } = this.budget.limits
    const full = this.parts.length >= maxParts - Math.floor(maxParts / TEXT_SHARE)
    if (full) this.parts[0]?.note('too-many-parts')
    if (full || depth > maxDepth) return this.addSpare(parent, type)
    const part = new Part(parent, depth, type)
    this.parts.push(part)
    return new PartReading(part, this.parts.length - 1, this.budget)
  }

  /** It stands in the nearest part in which it may; what is in it, too. */
  private addSpare(parent: number, type: string): PartReading | null {
    const { maxParts, maxDepth } = this.budget.limits
    if (this.parts.length >= maxParts || this.spares++ >= MAX_SPARE_PARTS) {
      this.parts[0]?.note('too-many-parts')
      return null
    }
    let index = parent
    while ((this.parts[index]?.depth ?? 0) >= maxDepth && index > 0) index = this.parts[index]?.parent ?? 0
    const reading = new PartReading(new Part(index, (this.parts[index]?.depth ?? 0) + 1, type), index, this.budget)
    reading.spare = true
    return reading
  }

  /** The text of a spare part is there: it is kept if there is something in it. */
  private keep(reading: PartReading): void {
    const { part } = reading
    if (!reading.spare) return
    if (isShown(part) && part.depth <= this.budget.limits.maxDepth && this.parts.length < this.budget.limits.maxParts && /\S/.test(part.text ?? '')) this.parts.push(part)
    else reading.drop()
  }

  /** The content of a part was held; not that of a multipart with a boundary. */
  finish(reading: PartReading): void {
    switch (reading.kind) {
      case 'leaf':
        reading.finish()
        this.keep(reading)
        if (reading.part.type === 'text/plain') this.uuencodedFiles(reading)
        return
      case 'multipart':
        this.undivided(reading)
        return
      case 'encoded-message': {
        if (reading.part.truncated) reading.part.note('too-long')
        const splitter = new Splitter(this).beginMessage(reading.index, reading.part.depth + 1)
        splitter.write(reading.decoded())
        splitter.end()
        return
      }
      // Its content is held by the parts of the message.
      case 'message': return
    }
  }

  /** From the first line in the header of the message that is no field: mail programs pass it over, hops let the content begin there. */
  betweenFields(reading: PartReading, text: Buffer): void {
    this.asText(reading, text)
  }

  /** What stands before the first delimiter was held. Nobody is shown it, unless there is another type that says so. */
  preamble(reading: PartReading): void {
    if (reading.part.defects.includes('duplicate-field')) this.asText(reading, reading.decoded())
    else reading.drop()
  }

  /** The content of a multipart with a boundary was held, and no delimiter came. */
  withoutDelimiters(reading: PartReading): void {
    if (reading.decodes) this.readContent(reading, { content: reading.decoded(), boundaries: reading.boundaries })
    else {
      reading.part.note('boundary-not-found')
      this.undivided(reading)
    }
  }

  /** A multipart that falls into no parts: by a delimiter that it does have, or all of it is a text. */
  private undivided(reading: PartReading): void {
    const content = reading.decoded()
    const guess = reading.guessed ? undefined : likelyBoundary(content)
    if (guess !== undefined) {
      this.readContent(reading, { content, boundaries: [guess] })
      return
    }
    this.asText(reading, content)
  }

  private asText(reading: PartReading, content: Buffer): void {
    const { part } = reading
    const { truncated } = part
    part.truncated = false
    if (content.length === 0) return
    const child = this.add(reading.index, part.depth + 1, 'text/plain')
    if (child === null) return
    child.part.encoding = part.encoding
    child.part.charset = part.charset
    child.part.encodedBytes = content.length
    child.part.truncated = truncated
    child.finish(content)
    this.keep(child)
    this.uuencodedFiles(child)
  }

  private readContent(reading: PartReading, again: { readonly content: Buffer, readonly boundaries: readonly string[] }): void {
    const { part } = reading
    const { encodedBytes } = part
    const splitter = new Splitter(this).beginContent(reading.ofDecoded(again.boundaries))
    splitter.write(again.content)
    splitter.end()
    part.encodedBytes = encodedBytes
  }

  private uuencodedFiles(reading: PartReading): void {
    const { part, index } = reading
    const { maxDepth, maxParts, maxOtherBytes } = this.budget.limits
    if (part.depth >= maxDepth || reading.spare) return
    const room = Math.min(Math.ceil(maxParts / UU_SHARE) - this.files, maxParts - this.parts.length)
    const files = uuFiles(part.content, { files: room + 1, bytes: maxOtherBytes })
    if (files.length > room) part.note('too-many-parts')
    for (const file of files.slice(0, room)) {
      this.files++
      const child = new Part(index, part.depth + 1, 'application/octet-stream')
      this.parts.push(child)
      child.encoding = 'x-uuencode'
      child.disposition = 'attachment'
      const name = cleanFileName(file.name)
      child.fileName = name === '' ? undefined : name
      child.encodedBytes = file.end - file.start
      child.content = file.bytes
      child.truncated = file.truncated
      if (file.broken) child.note('broken-encoding')
    }
  }
}

/** A line that looks like a delimiter, with a field of MIME behind it. */
function likelyBoundary(content: Buffer): string | undefined {
  const head = content.toString('latin1', 0, 8192)
  return /(?:^|[\r\n])--([^\s].{0,120}?)[ \t]{0,20}(?:\r\n|\r|\n)content-/i.exec(head)?.[1]
}
