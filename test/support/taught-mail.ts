/**
 * Mail for the tests of learning: any number of messages of two kinds, each
 * unlike every other, and Maildirs of them.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MessageClass } from '../../src/spam/bayes/store.ts'

const COMMON = 'please this with about there have week thing time other people under great before much know'.split(' ')
const WORDS: Readonly<Record<MessageClass, readonly string[]>> = {
  ham: 'minutes garden meeting project drawing music rehearsal winter paper kitchen travel tuesday choir harbour window letter'.split(' '),
  spam: 'jackpot pills winner casino bonus lottery replica mortgage enlarge refinance cheapest unlimited miracle guaranteed discreet prescription'.split(' '),
}

/** With CRLF; number n of its kind is always the same. */
export function taughtMessage(kind: MessageClass, n: number): string {
  const own = WORDS[kind]
  const word = (at: number): string => (at % 2 === 0 ? COMMON[(n * 3 + at * 7) % COMMON.length] : own[(n * 5 + at * at) % own.length]) ?? ''
  const lines = Array.from({ length: 6 }, (_, line) => Array.from({ length: 10 }, (__, at) => word(line * 10 + at)).join(' '))
  return [`From: <writer${n}@${kind}.example>`, 'To: alice@hop.example', 'Date: Sat, 21 Nov 2026 10:00:00 +0000', `Message-ID: <${n}@${kind}.example>`, `Subject: ${own[n % own.length] ?? ''} number ${n}`, '', ...lines, ''].join('\r\n')
}

/** A Maildir with messages `from` to `from + count - 1`, some read and some not. */
export function writeMaildir(folder: string, kind: MessageClass, { from = 0, count }: { readonly from?: number; readonly count: number }): string {
  for (const part of ['cur', 'new', 'tmp']) mkdirSync(join(folder, part), { recursive: true })
  for (let n = from; n < from + count; n++) writeFileSync(n % 3 === 0 ? join(folder, 'new', `${n}.M1.host`) : join(folder, 'cur', `${n}.M1.host:2,S`), taughtMessage(kind, n).replaceAll('\r\n', '\n'))
  return folder
}
