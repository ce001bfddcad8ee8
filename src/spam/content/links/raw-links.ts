/**
 * The links of one part, as they are found. A link that comes again and again is
 * kept so often as a message may have links: more would say nothing more, and
 * there may be tens of thousands. Of different ones there are MAX_RAW_LINKS at
 * the most.
 */
import type { Link } from '../../content.ts'
import { MAX_LINKS, MAX_RAW_LINKS } from '../bounds.ts'
import type { RawLink } from './raw-link.ts'

export class RawLinks {
  private readonly kept: RawLink[] = []
  /** how often each came, of each kind; counted where there are many */
  private readonly counts = new Map<Link['kind'], Map<string, number>>()

  get all(): readonly RawLink[] {
    return this.kept
  }

  add(link: RawLink): void {
    this.kept.push(link)
  }

  /** Whether another one is to be added. Ask once for each. */
  takes(kind: Link['kind'], url: string): boolean {
    if (this.kept.length < MAX_LINKS) return true
    if (this.kept.length >= MAX_RAW_LINKS) return false
    let counts = this.counts.get(kind)
    if (counts === undefined) this.counts.set(kind, counts = new Map<string, number>())
    const count = (counts.get(url) ?? 0) + 1
    counts.set(url, count)
    return count <= MAX_LINKS
  }
}
