/**
 * Links of elements other than `<a>`: images, forms, frames, styles, a refresh.
 * `seen` is whether the element is shown at all.
 */
import { MAX_SHOWN_CHARACTERS } from '../bounds.ts'
import type { RawLink } from '../links/raw-link.ts'
import type { RawLinks } from '../links/raw-links.ts'
import { AREA, ATTRIBUTE, BASE, BODY, BUTTON, FORM, IMAGE, IMG, INPUT, LINK, META, OBJECT, type Element } from './elements.ts'
import type { TagReader } from './tag.ts'

export interface Resource {
  readonly element: Element
  readonly tag: TagReader
  readonly seen: boolean
  /** URL of its background; '' where it has none */
  readonly image: string
}

/** The URL of `<meta http-equiv=refresh content="0; url=…">` (HTML Living Standard §4.2.5.3). */
function refreshUrl(tag: TagReader): string | undefined {
  if (tag.get(ATTRIBUTE['http-equiv'])?.trim().toLowerCase() !== 'refresh') return undefined
  return /^[\s\d.]*[;,]\s*(?:url\s*=\s*)?["']?([^"']+)/i.exec((tag.get(ATTRIBUTE.content) ?? '').slice(0, 4096))?.[1]?.trim()
}

function urlOf(element: Element, tag: TagReader): string | undefined {
  switch (element) {
    case IMG:
    case IMAGE: return tag.get(ATTRIBUTE.src)
    case FORM: return tag.get(ATTRIBUTE.action)
    case INPUT: return tag.get(ATTRIBUTE.formaction) ?? (tag.get(ATTRIBUTE.type)?.trim().toLowerCase() === 'image' ? tag.get(ATTRIBUTE.src) : undefined)
    case BUTTON: return tag.get(ATTRIBUTE.formaction)
    case META: return refreshUrl(tag)
    case OBJECT: return tag.get(ATTRIBUTE.data)
    case AREA:
    case BASE:
    case LINK: return tag.get(ATTRIBUTE.href)
    default: return tag.get(ATTRIBUTE.src)
  }
}

function kindOf(element: Element): RawLink['kind'] {
  switch (element) {
    case IMG:
    case IMAGE: return 'image'
    case FORM:
    case BUTTON:
    case INPUT: return 'form'
    case AREA: return 'href'
    default: return 'other'
  }
}

/** Adds the links of one element to `links`. */
export function linksOf({ element, tag, seen, image }: Resource, links: RawLinks): void {
  if (image !== '' && links.takes('image', image)) links.add({ kind: 'image', url: image, shown: '', says: false, hidden: !seen })
  if (element === BODY) return
  const url = urlOf(element, tag)
  if (url === undefined || url === '') return
  const kind = kindOf(element)
  if (!links.takes(kind, url)) return
  const shown = element === AREA || element === IMG ? tag.get(ATTRIBUTE.alt) ?? '' : ''
  links.add({ kind, url, shown: shown.trim().slice(0, MAX_SHOWN_CHARACTERS), says: false, hidden: !seen })
}
