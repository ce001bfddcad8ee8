/** A link as it was found, before anybody reads its URL. Types only. */
import type { Link } from '../../content.ts'

export interface RawLink {
  readonly kind: Link['kind']
  /** as it stands, references decoded */
  readonly url: string
  /** what the link shows */
  readonly shown: string
  readonly hidden: boolean
}
