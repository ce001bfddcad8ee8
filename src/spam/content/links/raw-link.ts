/** A link as it was found, before anybody reads its URL. Types only. */
import type { Link } from '../../content.ts'

export interface RawLink {
  readonly kind: Link['kind']
  /** as it stands, references decoded */
  readonly url: string
  /** what the link shows; the words that stand for an image, where it shows nothing else */
  readonly shown: string
  /** `shown` is a text that claims to say where the link leads */
  readonly says: boolean
  readonly hidden: boolean
}
