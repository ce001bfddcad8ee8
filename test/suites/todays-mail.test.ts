/**
 * Mail as it is written today, made up for this test (test/mail): what the rules
 * that come with Postern give it by themselves, without a classifier, and without
 * anything known of who brought it.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { MimeReader } from '../../src/mime/reader.ts'
import { readContent } from '../../src/spam/content/read-content.ts'
import { readRuleFiles } from '../../src/spam/rules/folders.ts'
import { loadRules } from '../../src/spam/rules/load.ts'
import { NO_FACTS } from '../support/rules.ts'

/** Where mail is tagged by default. */
const TAG = 5
/** So many of a hundred unwanted messages: what was there when this was written, less a few. */
const LEAST_FOUND = 70

const { rules } = loadRules(await readRuleFiles({ shipped: true, paths: [] }))

function judged(folder: string): { readonly name: string; readonly score: number; readonly hits: string }[] {
  const path = join(import.meta.dirname, '../mail', folder)
  return readdirSync(path).filter((name) => name.endsWith('.eml')).sort().map((name) => {
    const reader = new MimeReader()
    reader.write(Buffer.from(readFileSync(join(path, name), 'latin1').replace(/\r?\n/g, '\r\n'), 'latin1'))
    const { score, hits } = rules.evaluate(readContent(reader.end()), NO_FACTS)
    return { name, score, hits: hits.map((hit) => `${hit.id} ${hit.score}`).join(', ') }
  })
}

for (const { name, score, hits } of judged('wanted')) {
  test(`wanted mail is not tagged: ${name}`, () => { assert.ok(score < TAG, `${score} points: ${hits}`) })
}

/** What once slipped through when rules were written anew (`rv-`) does not again. */
const again = (name: string): boolean => name.startsWith('rv-')

for (const { name, score, hits } of judged('unwanted').filter((one) => again(one.name))) {
  test(`unwanted mail is tagged: ${name}`, () => { assert.ok(score >= TAG, `${score} points: ${hits}`) })
}

test('most unwanted mail is found', () => {
  const all = judged('unwanted').filter(({ name }) => !again(name))
  const found = all.filter(({ score }) => score >= TAG).length
  assert.ok(all.length > 100)
  assert.ok(found * 100 >= LEAST_FOUND * all.length, `${found} of ${all.length}`)
})
