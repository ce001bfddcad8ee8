/** Counts what HTML is made of, for HtmlFacts. Nothing here fails. */
import type { HtmlFacts } from '../../content.ts'
import { ATTRIBUTE, BASE, FORM, IFRAME, IMAGE, IMG, INPUT, META, SCRIPT, type Element } from './elements.ts'
import type { TagReader } from './tag.ts'

/** The size of an element in pixels, NaN where it does not say; and whether it is shown. */
export interface Box {
  readonly width: number
  readonly height: number
  readonly seen: boolean
}

/** An image that is no larger shows nothing. */
const MAX_TRACKING_PIXELS = 3

function isTracking(source: string, { width, height, seen }: Box): boolean {
  if (!/^\s*(?:https?:)?\/\//i.test(source)) return false
  if (!seen || width === 0 || height === 0) return true
  // One size alone is that of both, since an image keeps its shape.
  const known = Number.isNaN(width) ? height : width
  return (Number.isNaN(height) ? known : height) <= MAX_TRACKING_PIXELS && known <= MAX_TRACKING_PIXELS
}

export class FactCounter {
  private readonly bytes: number
  private tags = 0
  private images = 0
  private trackingImages = 0
  private forms = 0
  private passwordFields = 0
  private scripts = 0
  private iframes = 0
  private unknownTags = 0
  private base = false
  private refresh = false
  hiddenElements = 0
  comments = 0

  constructor(bytes: number) {
    this.bytes = bytes
  }

  /** A start tag whose name stands at `at`. */
  tag(element: Element | undefined, html: string, at: number): void {
    this.tags++
    if (element !== undefined) return
    for (let i = at; ; i++) {
      const code = html.charCodeAt(i)
      // `o:p` is of an office program, `amp-img` of AMP.
      if (code === 58 || (code === 45 && html.startsWith('amp', at))) return
      if (!(code > 32) || code === 47 || code === 62) break
    }
    this.unknownTags++
  }

  element(element: Element, tag: TagReader, box: Box): void {
    switch (element) {
      case IMG:
      case IMAGE:
        this.images++
        if (isTracking(tag.get(ATTRIBUTE.src) ?? '', box)) this.trackingImages++
        return
      case INPUT:
        if (tag.get(ATTRIBUTE.type)?.trim().toLowerCase() === 'password') this.passwordFields++
        return
      case FORM:
        this.forms++
        return
      case SCRIPT:
        this.scripts++
        return
      case IFRAME:
        this.iframes++
        return
      case BASE:
        this.base = true
        return
      case META:
        if (tag.get(ATTRIBUTE['http-equiv'])?.trim().toLowerCase() === 'refresh') this.refresh = true
        return
      default:
    }
  }

  result(truncated: boolean): HtmlFacts {
    const { bytes, tags, images, trackingImages, forms, passwordFields, scripts, iframes, hiddenElements, comments, unknownTags, base, refresh } = this
    return { bytes, tags, images, trackingImages, forms, passwordFields, scripts, iframes, hiddenElements, comments, unknownTags, base, refresh, truncated }
  }
}

/** Of several parts that are HTML: one account of all. */
export function addFacts(one: HtmlFacts, other: HtmlFacts): HtmlFacts {
  return {
    bytes: one.bytes + other.bytes,
    tags: one.tags + other.tags,
    images: one.images + other.images,
    trackingImages: one.trackingImages + other.trackingImages,
    forms: one.forms + other.forms,
    passwordFields: one.passwordFields + other.passwordFields,
    scripts: one.scripts + other.scripts,
    iframes: one.iframes + other.iframes,
    hiddenElements: one.hiddenElements + other.hiddenElements,
    comments: one.comments + other.comments,
    unknownTags: one.unknownTags + other.unknownTags,
    base: one.base || other.base,
    refresh: one.refresh || other.refresh,
    truncated: one.truncated || other.truncated,
  }
}
