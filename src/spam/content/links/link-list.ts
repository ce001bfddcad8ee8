/**
 * Makes the links of a message out of what was found in its parts: reads each
 * URL once, names what it shows, adds those that stand inside others, and keeps
 * MAX_LINKS: different ones before those that come again. Nothing here fails.
 */
import type { Link } from '../../content.ts'
import { MAX_LINKS, MAX_REDIRECT_DEPTH, MAX_SHOWN_CHARACTERS } from '../bounds.ts'
import { innerUrls } from './inner-urls.ts'
import type { RawLink } from './raw-link.ts'
import { absolute, cleaned, isBase, readUrl, type UrlReading } from './read-url.ts'
import { findTextLinks } from './text-links.ts'

/** The host that words name, and the domain of it. */
interface Named {
  readonly host: string
  readonly domain: string
}

/** Words before a URL that still leave it the thing that is shown. */
const MAX_WORDS_BEFORE = 40
/** Arrows, brackets and marks around a bare name; with more, the name is a word of a sentence. */
const MAX_AROUND_NAME = 4

function namedHost(shown: string): Named | undefined {
  if (!shown.includes('.') && !shown.includes('://')) return undefined
  const [first] = findTextLinks(shown, 1)
  if (first === undefined || first.from > MAX_WORDS_BEFORE || first.url.startsWith('mailto:')) return undefined
  const bare = !/^(?:[a-z]+:\/\/|www\d?\.)/i.test(first.url)
  if (bare && shown.length - (first.to - first.from) > MAX_AROUND_NAME) return undefined
  const { host, domain } = readUrl(first.url)
  return host === '' ? undefined : { host, domain }
}

/** A URL that was read, with the ones in it. */
interface Known {
  readonly reading: UrlReading
  readonly inner: readonly string[]
  /** bits: of which kind, and how deep in others, it was taken */
  taken: number
}

const DEPTHS = MAX_REDIRECT_DEPTH + 1
/** Of each kind the first of as many bits as there are depths. */
const KIND_BIT: Readonly<Record<Link['kind'], number>> = { href: 1, image: 1 << DEPTHS, form: 1 << (2 * DEPTHS), other: 1 << (3 * DEPTHS), text: 1 << (4 * DEPTHS) }

export class LinkList {
  private readonly distinct: Link[] = []
  private readonly again: Link[] = []
  private readonly known = new Map<string, Known>()
  /** bits: as links of which kind a URL was kept */
  private readonly seen = new Map<string, number>()

  /** `base`: the URL of `<base>` of the part that they are of. */
  add(links: readonly RawLink[], base?: string): void {
    const ground = base === undefined ? undefined : readUrl(base)
    for (const link of links) {
      if (this.distinct.length >= MAX_LINKS) return
      this.addOne(link, ground !== undefined && isBase(ground) ? ground : undefined, 0)
    }
  }

  /** Links of running text; nothing of `except` (from and to in turn), which has links of its own. */
  addText(text: string, except: readonly number[] = []): void {
    let range = 0
    for (const { url, from, to } of findTextLinks(text)) {
      if (this.distinct.length >= MAX_LINKS) return
      while (range < except.length && (except[range + 1] ?? 0) <= from) range += 2
      if (range < except.length && (except[range] ?? 0) < to) continue
      this.addOne({ kind: 'text', url, shown: url.slice(0, MAX_SHOWN_CHARACTERS), says: false, hidden: false }, undefined, 0)
    }
  }

  result(): readonly Link[] {
    const room = MAX_LINKS - this.distinct.length
    return this.again.length === 0 || room === 0 ? this.distinct : [...this.distinct, ...this.again.slice(0, room)]
  }

  private addOne(raw: RawLink, base: UrlReading | undefined, depth: number): void {
    const url = base === undefined ? cleaned(raw.url) : absolute(raw.url, base)
    const known = this.read(url)
    const { reading, inner } = known
    const least = KIND_BIT[raw.kind]
    // It comes again, with all that is in it, and there is no room for it.
    if (this.again.length >= MAX_LINKS && (known.taken & (least * (2 ** (depth + 1) - 1))) !== 0) return
    known.taken |= least << depth
    // A place in the same message, or a file beside a page that this is not.
    if (reading.scheme === '' && reading.host === '') return
    const named = raw.says ? namedHost(raw.shown) : undefined
    const followed = depth < MAX_REDIRECT_DEPTH ? inner : []
    const mismatch = named !== undefined && reading.host !== '' && named.domain !== reading.domain && !followed.some((one) => readUrl(one).domain === named.domain)
    this.keep({
      kind: raw.kind,
      url,
      scheme: reading.scheme,
      host: reading.host,
      domain: reading.domain,
      port: reading.port,
      userinfo: reading.userinfo,
      unicodeHost: reading.unicodeHost,
      address: reading.address,
      shortener: reading.shortener,
      lookAlike: reading.lookAlike,
      shown: raw.shown,
      shownHost: named?.host,
      mismatch,
      hidden: raw.hidden,
    })
    for (const one of followed) if (this.distinct.length < MAX_LINKS) this.addOne({ ...raw, url: one }, undefined, depth + 1)
  }

  private keep(link: Link): void {
    const kinds = this.seen.get(link.url) ?? 0
    if ((kinds & KIND_BIT[link.kind]) === 0) {
      this.seen.set(link.url, kinds | KIND_BIT[link.kind])
      this.distinct.push(link)
    } else if (this.again.length < MAX_LINKS) {
      this.again.push(link)
    }
  }

  private read(url: string): Known {
    const found = this.known.get(url)
    if (found !== undefined) return found
    const reading = readUrl(url)
    const known = { reading, inner: reading.host === '' || reading.scheme === 'mailto' ? [] : innerUrls(reading.text, reading.pathFrom), taken: 0 }
    this.known.set(url, known)
    return known
  }
}
