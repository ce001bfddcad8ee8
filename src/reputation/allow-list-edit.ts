/**
 * Adds an entry to the text of an allow list, and takes one out: text in, text
 * out. Comments and the order of what is there stay. What comes out is read
 * again before it is given back, so that no edit can leave a file that is
 * refused. Nothing throws.
 */
import { isMap, isSeq, parseDocument } from 'yaml'
import type { Document } from 'yaml'
import { thrownText } from '../auth/stranger-text.ts'
import { NOWHERE } from '../config/problem.ts'
import type { ConfigurationError } from '../config/problem.ts'
import { readAllowList } from './allow-list-file.ts'
import type { AllowListSource } from './allow-list-file.ts'

/** An entry as it stands in the file. */
export interface AllowDraft {
  readonly id: string
  readonly match: Readonly<Partial<Record<'domain' | 'dkim' | 'spf', string>> & { readonly address?: string | readonly string[] }>
  readonly scope: 'all' | { readonly sender?: string; readonly recipient?: string; readonly checks?: readonly string[] }
  readonly reason: string
  readonly author: string
  /** a day, a time, or `never` */
  readonly expires: string
}

export type AllowEdit =
  | { readonly status: 'edited'; readonly text: string }
  | { readonly status: 'no-such-entry' }
  /** of the file as it is, or as it would be */
  | { readonly status: 'refused'; readonly errors: readonly ConfigurationError[] }

export function addAllowEntry(file: AllowListSource, draft: AllowDraft): AllowEdit {
  const before = readAllowList(file)
  if (before.status === 'refused') return before
  const document = parseDocument(file.text)
  if (!isMap(document.contents)) document.contents = document.createNode({ entries: [] }) as unknown as typeof document.contents
  if (!isSeq(document.get('entries'))) document.set('entries', document.createNode([]))
  document.addIn(['entries'], document.createNode(draft))
  return checked(file, document)
}

export function removeAllowEntry(file: AllowListSource, id: string): AllowEdit {
  const before = readAllowList(file)
  if (before.status === 'refused') return before
  const at = before.entries.findIndex((entry) => entry.id === id)
  if (at < 0) return { status: 'no-such-entry' }
  const document = parseDocument(file.text)
  document.deleteIn(['entries', at])
  return checked(file, document)
}

function checked(file: AllowListSource, document: Document.Parsed): AllowEdit {
  const written = write(document)
  if (written.status === 'refused') return { status: 'refused', errors: [{ source: file.source, ...NOWHERE, key: 'entries', problem: `cannot be written after the edit: ${written.problem}`, allowed: undefined }] }
  const after = readAllowList({ ...file, text: written.text })
  return after.status === 'refused' ? after : { status: 'edited', text: written.text }
}

/** An alias whose anchor has gone with its entry cannot be written. */
function write(document: Document.Parsed): { readonly status: 'written'; readonly text: string } | { readonly status: 'refused'; readonly problem: string } {
  try {
    return { status: 'written', text: document.toString() }
  } catch (error) {
    return { status: 'refused', problem: thrownText(error) }
  }
}
