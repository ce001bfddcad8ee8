/**
 * TXT records out of a file, in place of the DNS: lines of a zone file as
 * `postern dkim record` prints them (RFC 1035 §5.1: strings in quotes, several
 * in parentheses, comments behind `;`), or a name, blanks, and the text. What
 * does not stand there does not exist. An ExitError where a line is neither.
 */
import { normalName } from '../dns/name.ts'
import type { Lookup, RecordType, Resolver } from '../dns/resolver.ts'
import { EXIT, ExitError } from './exit-codes.ts'

const TTL_SECONDS = 3600

/** @param text one character a byte */
export function recordFileResolver(text: string): Resolver {
  const records = readRecordFile(text)
  const absent = { status: 'nxdomain', ttlSeconds: TTL_SECONDS, authenticated: false } as const
  return {
    lookup<T extends RecordType>(name: string, type: T): Promise<Lookup<T>> {
      const found = records.get(normalName(name) ?? '')
      if (found === undefined || type !== 'TXT') return Promise.resolve(absent)
      return Promise.resolve({ status: 'records', records: found, name, ttlSeconds: TTL_SECONDS, authenticated: false } as unknown as Lookup<T>)
    },
  }
}

/** The strings of each record, by its name in lower case. */
export function readRecordFile(text: string): ReadonlyMap<string, readonly (readonly string[])[]> {
  const records = new Map<string, (readonly string[])[]>()
  for (const { line, content } of entries(text)) {
    const [, owner = '', rest = ''] = /^(\S+)\s+(.*)$/s.exec(content) ?? []
    const name = normalName(owner)
    const strings = stringsOf(rest)
    if (name === undefined || strings === undefined) throw new ExitError(EXIT.data, `the file of records, line ${line}, is no TXT record; allowed: s1._domainkey.example.org. IN TXT "v=DKIM1; p=…"`)
    const same = records.get(name)
    if (same === undefined) records.set(name, [strings])
    else same.push(strings)
  }
  return records
}

/** Lines, with those between parentheses as one. */
function* entries(text: string): Generator<{ readonly line: number; readonly content: string }> {
  let open = ''
  let from = 0
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    // A semicolon stands in every such record: only where it begins a line, or follows a closed string, is it a comment.
    const row = raw.replace(/^\s*;.*$/, '').replace(/("|\)|\()\s*;[^"]*$/, '$1')
    if (open === '') from = index + 1
    open += `${row}\n`
    const bare = open.replace(/"(?:[^"\\]|\\.)*"/g, '')
    if (bare.includes('(') && !bare.includes(')')) continue
    if (open.trim() !== '') yield { line: from, content: open.trim() }
    open = ''
  }
  if (open.trim() !== '') yield { line: from, content: open.trim() }
}

function stringsOf(rest: string): readonly string[] | undefined {
  const data = rest.replace(/^(?:[0-9]+\s+)?(?:IN\s+)?(?:[0-9]+\s+)?TXT\s+/i, '').trim()
  if (!data.includes('"')) return data === '' || /[()]/.test(data) ? undefined : [data]
  const strings = [...data.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, one = '']) => one.replace(/\\(.)/g, '$1'))
  const between = data.replace(/"(?:[^"\\]|\\.)*"/g, '').replace(/\s/g, '')
  return between === '' || between === '()' ? strings : undefined
}
