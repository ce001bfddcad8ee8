/**
 * What lies below so many empty lines that nobody scrolls down to it: words that
 * are there for filters alone. Lines are counted that have nothing but blanks,
 * and what is as tall as some of them; only where something is seen above. One
 * more for each thing that is read, nothing is looked at twice.
 */
import { MAX_EMPTY_LINES } from '../bounds.ts'
import type { Codes } from '../text/codes.ts'
import type { TextSink } from '../text/text-sink.ts'
import { CELL, type Element } from './elements.ts'
import type { Box } from './facts.ts'
import { MIN_TALL_PIXELS } from './looks.ts'

const NO_BREAK_SPACE = 0xa0
const LINE_PIXELS = 20
/** An image that is no larger shows nothing. */
const MAX_DOT_PIXELS = 3

export class EmptyLines {
  /** what comes now lies below */
  below = false
  private readonly shown: TextSink
  private lines = 0
  /** how much text stands above them */
  private above = 0
  private pictured = false
  /** how much text stands above the row that was begun last */
  private inRow = 0
  /** a blank that takes a place stands in the line */
  private filled = false
  /** of the tall element that was opened last: the level of what is in it; 0: none is open */
  private tallLevel = 0
  private tallLines = 0

  constructor(shown: TextSink) {
    this.shown = shown
  }

  lineBreak(): void {
    this.add(1)
    this.filled = false
  }

  paragraph(): void {
    if (this.filled) this.lineBreak()
  }

  /** White space alone. */
  blanks(codes: Codes, from: number, to: number): void {
    for (let at = from; at < to && !this.filled; at++) this.filled = codes[at] === NO_BREAK_SPACE
  }

  /** A reference to U+00A0. */
  fill(): void {
    this.filled = true
  }

  image({ width, height, seen }: Box): void {
    const narrow = width <= MAX_DOT_PIXELS
    if (!seen || (narrow && !(height > MAX_DOT_PIXELS))) return
    if (narrow || height <= MAX_DOT_PIXELS) {
      if (height >= MIN_TALL_PIXELS) this.add(height / LINE_PIXELS)
      return
    }
    this.pictured = true
    this.lines = 0
    this.tallLevel = 0
  }

  /** A row of a table begins. */
  row(): void {
    this.inRow = this.shown.length
  }

  /** An element of some height; `level`: of what is in it. */
  tall(element: Element, level: number, height: number): void {
    this.reach()
    const cell = (element.flags & CELL) !== 0
    // Cells stand side by side: an empty one is a space where the whole row is empty.
    if (cell && this.inRow !== this.above) return
    this.tallLevel = cell ? level - 1 : level
    this.tallLines = height / LINE_PIXELS
  }

  /** What comes is so many pixels further down. */
  drop(pixels: number): void {
    this.add(pixels / LINE_PIXELS)
  }

  /** What is deeper than `level` is closed. */
  close(level: number): void {
    if (level >= this.tallLevel) return
    this.tallLevel = 0
    if (this.shown.length === this.above) this.add(this.tallLines)
  }

  private reach(): void {
    const { length } = this.shown
    if (length === this.above) return
    this.above = length
    this.lines = 0
  }

  private add(lines: number): void {
    this.reach()
    if (this.above === 0 && !this.pictured) return
    this.lines += lines
    if (this.lines > MAX_EMPTY_LINES) this.below = true
  }
}
