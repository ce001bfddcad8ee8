/** Messages and models for the tests of the classifier. */
import { MimeReader } from '../../../../src/mime/reader.ts'
import type { BayesStore, TokenRows } from '../../../../src/spam/bayes/store.ts'
import { TokenTable } from '../../../../src/spam/bayes/table.ts'
import { tokenKeys } from '../../../../src/spam/bayes/store.ts'
import { readTokens, type TokenRequest } from '../../../../src/spam/bayes/tokens.ts'
import type { TokenSet } from '../../../../src/spam/bayes/token-set.ts'
import type { MessageContent } from '../../../../src/spam/content.ts'
import { readContent } from '../../../../src/spam/content/read-content.ts'

export function contentOf(message: string): MessageContent {
  const reader = new MimeReader()
  reader.write(Buffer.from(message.replace(/\r?\n/g, '\r\n')))
  return readContent(reader.end())
}

/** A message with this text, and fields like those of many others. */
export function letter(text: string, fields = ''): string {
  return `From: Anna Example <anna@example.org>\nTo: bert@example.net\nMessage-ID: <${text.length}.${text.slice(0, 8).replace(/\W/g, '')}@example.org>\nDate: Sat, 21 Nov 2026 10:00:00 +0000\n${fields}\n${text}\n`
}

export const REQUEST: TokenRequest = { ownHosts: new Set(['mx.example.net']), delivered: false, named: true }

export function tokensOf(message: string, request: Partial<TokenRequest> = {}): TokenSet {
  return readTokens(contentOf(message), { ...REQUEST, ...request })
}

export function namesOf(message: string, request: Partial<TokenRequest> = {}): readonly string[] {
  return tokensOf(message, request).names ?? []
}

/** Rows of tokens with their counts, in the order of their numbers. */
export function rowsOf(counted: ReadonlyMap<number, { readonly ham: number; readonly spam: number }>): TokenRows {
  const keys = Float64Array.from(counted.keys()).sort()
  return { keys, ham: Uint32Array.from(keys, (key) => counted.get(key)?.ham ?? 0), spam: Uint32Array.from(keys, (key) => counted.get(key)?.spam ?? 0) }
}

/** A model of as many copies of each text as are asked for. */
export function taught(texts: { readonly ham: readonly string[]; readonly spam: readonly string[] }, times: number, seed?: number): { readonly table: TokenTable; readonly ham: number; readonly spam: number } {
  const counted = new Map<number, { ham: number; spam: number }>()
  for (const one of ['ham', 'spam'] as const) {
    for (const text of texts[one]) {
      for (const key of tokenKeys(tokensOf(text))) {
        const counts = counted.get(key) ?? { ham: 0, spam: 0 }
        counts[one] += times
        counted.set(key, counts)
      }
    }
  }
  const table = TokenTable.for(counted.size, seed)
  table.add(rowsOf(counted))
  return { table, ham: texts.ham.length * times, spam: texts.spam.length * times }
}

export async function rowsIn(store: BayesStore): Promise<Map<number, string>> {
  const found = new Map<number, string>()
  for await (const { keys, ham, spam } of store.tokens()) keys.forEach((key, at) => found.set(key, `${ham[at] ?? 0}/${spam[at] ?? 0}`))
  return found
}
