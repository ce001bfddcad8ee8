/**
 * Makes a mailbox's path from the configured template with `{domain}`,
 * `{local}` and `{user}`.
 *
 * What is put in comes from the envelope, so each value must be harmless as a
 * part of a file name: not empty, no path separator, no leading dot (`.`, `..`,
 * hidden files), no NUL or other control character; and each name that results
 * is at most 255 bytes. Anything else is `unsafe`, never escaped or shortened,
 * for two addresses must not meet in one mailbox.
 */
import { dirname } from 'node:path'

export interface MailboxTemplate {
  /** what is above the first placeholder; never created by delivery */
  readonly fixed: string
  /** the names below it, placeholders in place */
  readonly names: readonly string[]
}

export interface MailboxValues {
  readonly domain: string
  readonly local: string
  readonly user: string
}

export interface MailboxPath {
  readonly path: string
  readonly fixed: string
  /** the names below `fixed`; the last is the Maildir itself */
  readonly names: readonly string[]
}

export type TemplateResult =
  | { readonly status: 'ok'; readonly template: MailboxTemplate }
  | { readonly status: 'malformed'; readonly why: string }

export type PathResult =
  | { readonly status: 'ok'; readonly path: MailboxPath }
  | { readonly status: 'unsafe'; readonly why: string }

const PLACEHOLDERS = ['domain', 'local', 'user'] as const
const MAX_NAME_BYTES = 255

export function parseMailboxTemplate(text: string): TemplateResult {
  const unknown = [...text.matchAll(/\{[^{}]*\}?|\}/g)].map((m) => m[0]).find((m) => !PLACEHOLDERS.some((p) => m === `{${p}}`))
  if (unknown !== undefined) return malformed(`${unknown} is not known; allowed: {domain}, {local}, {user}`)
  if (text === '' || text.includes('\0')) return malformed('a path is needed')
  const parts = text.replace(/\/+$/, '').split('/')
  if (parts.some((part, i) => part === '..' && i > 0 && parts.slice(0, i).some(hasPlaceholder))) {
    return malformed('".." may not stand below a placeholder')
  }
  const first = parts.findIndex(hasPlaceholder)
  if (first >= 0) {
    const above = parts.slice(0, first).join('/')
    const fixed = first === 0 ? '.' : above === '' ? '/' : above
    return { status: 'ok', template: { fixed, names: parts.slice(first).filter((part) => part !== '' && part !== '.') } }
  }
  const last = parts.at(-1)
  if (last === undefined || last === '' || last === '.' || last === '..') return malformed('a path must end in the name of a Maildir')
  return { status: 'ok', template: { fixed: dirname(parts.join('/')), names: [last] } }
}

export function mailboxPath(template: MailboxTemplate, values: MailboxValues): PathResult {
  const names: string[] = []
  for (const part of template.names) {
    for (const placeholder of PLACEHOLDERS) {
      if (!part.includes(`{${placeholder}}`)) continue
      const why = unsafeBecause(values[placeholder])
      if (why !== null) return { status: 'unsafe', why: `{${placeholder}} ${why}` }
    }
    const name = part.replace(/\{(domain|local|user)\}/g, (_, key: keyof MailboxValues) => values[key])
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) return { status: 'unsafe', why: `a name may have no more than ${MAX_NAME_BYTES} bytes` }
    names.push(name)
  }
  const above = template.fixed.endsWith('/') ? template.fixed : `${template.fixed}/`
  return { status: 'ok', path: { path: above + names.join('/'), fixed: template.fixed, names } }
}

/** Why a value cannot be a part of a path; null where it can. */
export function unsafeBecause(value: string): string | null {
  if (value === '') return 'is empty'
  if (value.startsWith('.')) return 'begins with a dot'
  if (/[/\\]/.test(value)) return 'has a path separator in it'
  if (/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(value)) return 'has a control character in it'
  if (!value.isWellFormed()) return 'is not valid Unicode'
  return null
}

function hasPlaceholder(part: string): boolean {
  return part.includes('{')
}

function malformed(why: string): TemplateResult {
  return { status: 'malformed', why }
}
