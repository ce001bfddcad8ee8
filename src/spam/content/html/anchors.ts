/**
 * The `<a>` that is open: what stands in it is what its link shows. Where it
 * shows nothing, an image's words do; where there is no image either, nobody
 * sees the link.
 */
import { MAX_SHOWN_CHARACTERS } from '../bounds.ts'
import type { RawLinks } from '../links/raw-links.ts'
import type { TextSink } from '../text/text-sink.ts'

export class AnchorReader {
  /** from and to in turn, of the text that is shown */
  readonly ranges: number[] = []
  private readonly shown: TextSink
  private readonly unseen: TextSink
  private readonly links: RawLinks
  private url: string | undefined
  private from = 0
  private unseenFrom = 0
  private words: string | undefined

  constructor(shown: TextSink, unseen: TextSink, links: RawLinks) {
    this.shown = shown
    this.unseen = unseen
    this.links = links
  }

  open(url: string): void {
    this.url = url
    this.from = this.shown.length
    this.unseenFrom = this.unseen.length
    this.words = undefined
  }

  /** An image that is shown, and the words that stand for it. */
  image(words: string): void {
    if (this.url !== undefined) this.words ??= words
  }

  close(): void {
    const { url } = this
    if (url === undefined) return
    this.url = undefined
    const to = this.shown.length
    const visible = to > this.from
    if (visible) this.ranges.push(this.from, to)
    if (!this.links.takes('href', url)) return
    let text = this.shown.slice(this.from, Math.min(to, this.from + MAX_SHOWN_CHARACTERS + 1))
    if (!visible) text = this.words ?? this.unseen.slice(this.unseenFrom, this.unseenFrom + MAX_SHOWN_CHARACTERS + 1)
    const hidden = !visible && this.words === undefined
    this.links.add({ kind: 'href', url, shown: text.trim().slice(0, MAX_SHOWN_CHARACTERS), says: visible || this.words === undefined, hidden })
  }
}
