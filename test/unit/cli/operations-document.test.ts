/** docs/operations.md tells of every exit code, command and reply that an operator can meet. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { EXIT } from '../../../src/cli/exit-codes.ts'
import * as logins from '../../../src/submission/replies.ts'
import * as delivery from '../../../src/delivery/local-replies.ts'
import * as catalogue from '../../../src/smtp/reply-catalogue.ts'
import * as hop from '../../../src/smtp/reply-catalogue-hop.ts'
import * as outgoing from '../../../src/smtp/reply-catalogue-submission.ts'
import { describeReply, type Reply } from '../../../src/smtp/reply.ts'

const DOCUMENT = readFileSync(join(import.meta.dirname, '../../../docs/operations.md'), 'utf8')

function isReply(value: unknown): value is Reply {
  return typeof value === 'object' && value !== null && 'status' in value && 'text' in value
}

/** What an operator is asked about: refusals, except those of a client that does not know the protocol. */
function isNews(reply: Reply): boolean {
  return reply.status >= 400 && ![500, 501, 502, 503, 555].includes(reply.status)
}

for (const [name, replies] of Object.entries({ catalogue, hop, delivery, outgoing, logins })) {
  test(`every refusal of the ${name} is explained`, () => {
    const news = Object.values<unknown>(replies).filter(isReply).filter(isNews).map(describeReply)
    assert.ok(news.length > 3)
    for (const reply of news) assert.ok(DOCUMENT.includes(`| \`${reply}\` |`), reply)
  })
}

test('every exit code is in the table', () => {
  for (const code of Object.values(EXIT)) assert.match(DOCUMENT, new RegExp(`^\\| ${code} \\|`, 'm'))
})
