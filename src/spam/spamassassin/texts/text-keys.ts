/** Names for SpamAssassin's texts: which are the same, and which patterns belong into one set. Pure. */
import type { SpamText } from './spam-text.ts'

/** Equal where the pieces are. */
export function spamTextKey(text: SpamText): string {
  switch (text.of) {
    case 'body': return text.subject ? 'body' : 'body without subject'
    case 'rawbody':
    case 'full':
    case 'uri': return text.of
    case 'header': return `header ${text.name} ${text.raw ? 'raw' : ''} ${text.take ?? ''} ${text.which} ${JSON.stringify(text.unset)}`
    case 'part-header': return `part-header ${text.name} ${text.raw ? 'raw' : ''} ${JSON.stringify([text.unset ?? '', text.parts ?? null])}`
  }
}

/** What is short shares a set: its making costs more than a look at a few lines. */
export function spamTextSet(text: SpamText): string {
  switch (text.of) {
    case 'body': return 'body'
    case 'rawbody':
    case 'full':
    case 'uri': return text.of
    case 'header': return text.name === 'ALL' ? 'headers' : 'header'
    case 'part-header': return 'header'
  }
}
