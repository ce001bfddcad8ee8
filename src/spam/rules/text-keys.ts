/**
 * Names for text sources, so that conditions over the same texts find each
 * other when they are compiled; and in which pieces they are looked at.
 */
import type { TextSource } from './condition.ts'
import type { SourceSet } from './run.ts'

/** Equal where the values are. */
export function sourceKey(source: TextSource): string {
  switch (source.kind) {
    case 'header': return `${setKey(source)} ${source.which} ${source.unset === undefined ? '' : JSON.stringify(source.unset)}`
    case 'address': return `${setKey(source)} ${source.of}`
    case 'header-section':
    case 'fact':
    case 'link':
    case 'attachment':
    case 'part':
    case 'subject':
    case 'text':
    case 'hidden':
    case 'folded':
    case 'raw':
    case 'full':
    case 'charset':
    case 'language':
    case 'defect': return setKey(source)
  }
}

/** Texts of the same kind share a set, whosever they are. */
export function setKey(source: TextSource): string {
  switch (source.kind) {
    case 'header': return `header ${source.form} ${source.names.join(' ')}`
    case 'header-section': return `header-section ${source.form}`
    case 'fact': return `fact ${source.name}`
    case 'address':
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

/** A shown text is a paragraph a line; HTML and header sections break where it pleases them. */
export function piecesOf(source: TextSource): SourceSet['pieces'] {
  switch (source.kind) {
    case 'text':
    case 'hidden':
    case 'folded': return 'lines'
    case 'raw':
    case 'full':
    case 'header-section': return 'blocks'
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
