/**
 * Names for text sources, so that conditions over the same texts find each
 * other when they are compiled; and in which pieces they are looked at.
 */
import { OF_THE_MESSAGE } from './addresses.ts'
import type { TextSource } from './condition.ts'
import { spamTextKey, spamTextSet } from '../spamassassin/texts/text-keys.ts'
import type { SourceSet } from './scanned-texts.ts'

/** Equal where the values are. */
export function sourceKey(source: TextSource): string {
  switch (source.kind) {
    case 'header': return `header ${source.form} ${source.which} ${source.names.join(' ')} ${source.unset === undefined ? '' : JSON.stringify(source.unset)}`
    case 'header-section': return `header-section ${source.form}`
    case 'address': return `address ${source.field} ${source.of}`
    case 'fact': return `fact ${source.name}`
    case 'spamassassin': return `spamassassin ${spamTextKey(source.text)}`
    case 'link':
    case 'attachment':
    case 'part': return `${source.kind} ${source.field}`
    case 'subject':
    case 'text':
    case 'hidden':
    case 'folded':
    case 'raw':
    case 'full':
    case 'charset':
    case 'language':
    case 'defect': return source.kind
  }
}

/**
 * Equal where patterns belong into one set. All short values share one: what a
 * set costs is its making and the length of what it looks at, not the number of
 * its patterns; and of these only those are tried that somebody asks for.
 */
export function setKey(source: TextSource): string {
  if (source.kind === 'spamassassin') return `spamassassin ${spamTextSet(source.text)}`
  return piecesOf(source) === 'whole' ? 'values' : sourceKey(source)
}

/** A shown text is a paragraph a line; HTML and header sections break where it pleases them. */
export function piecesOf(source: TextSource): SourceSet['pieces'] {
  switch (source.kind) {
    case 'text':
    case 'hidden':
    case 'folded': return 'lines'
    case 'raw':
    case 'full':
    case 'header-section': return 'blocks'
    case 'spamassassin': return 'given'
    case 'subject':
    case 'header':
    case 'fact':
    case 'address':
    case 'link':
    case 'attachment':
    case 'part':
    case 'charset':
    case 'language':
    case 'defect': return 'whole'
  }
}

/** Of every message it is known which values there are, or that there are none. */
export function isAlwaysKnown(source: TextSource): boolean {
  switch (source.kind) {
    case 'address': return OF_THE_MESSAGE.has(source.of)
    case 'fact':
    case 'language':
    case 'spamassassin': return false
    case 'subject':
    case 'text':
    case 'hidden':
    case 'folded':
    case 'raw':
    case 'full':
    case 'header':
    case 'header-section':
    case 'link':
    case 'attachment':
    case 'part':
    case 'charset':
    case 'defect': return true
  }
}
