/**
 * The links of one part, as they are found. A link that comes again and again is
 * kept so often as a message may have links: more would say nothing more, and
 * there may be tens of thousands. Of different ones there are MAX_RAW_LINKS at
 * the most; those that lead nowhere by themselves take no place from the others.
 */
import type { Link } from '../../content.ts'
import { MAX_LINKS, MAX_RAW_LINKS } from '../bounds.ts'
import type { RawLink } from './raw-link.ts'

export class RawLinks {
  private readonly kept: RawLink[] = []
  /** how often each came, of each kind; counted where there are many */
  private readonly counts = new Map<Link['kind'], Map<string, number>>()

  /** some were left out that lead elsewhere */
  truncated = false
  private nowhere = 0

  get all(): readonly RawLink[] {
    return this.kept
  }

  add(link: RawLink): void {
    this.kept.push(link)
  }

  /** Whether another one is to be added. Ask once for each. */
  takes(kind: Link['kind'], url: string): boolean {
    if (this.kept.length < MAX_LINKS) return true
    let counts = this.counts.get(kind)
    const before = counts?.get(url)
    if (before === undefined && !leadsElsewhere(url)) {
      // Where there is a <base>, all of these lead to it.
      this.nowhere++
      return this.nowhere <= MAX_LINKS
    }
    if (this.kept.length >= MAX_RAW_LINKS) {
      this.truncated = true
      return false
    }
    if (counts === undefined) this.counts.set(kind, counts = new Map<string, number>())
    const count = (before ?? 0) + 1
    counts.set(url, count)
    return count <= MAX_LINKS
  }
}

/** With a scheme, or a host without one. */
function leadsElsewhere(url: string): boolean {
  return /^\s*(?:[^:/?#\\]{1,60}:|[/\\]\s*[/\\]|www\.)/i.test(url)
}
