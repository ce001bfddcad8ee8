/** docs/policy.md says what the code does: presets, actions, facts. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { FACTS } from '../../../src/policy/condition.ts'
import { ALLOWED_ACTIONS, CHECKS, PRESET_ACTIONS, PRESET_THRESHOLDS, PRESETS } from '../../../src/policy/policy.ts'

const DOCUMENT = readFileSync(join(import.meta.dirname, '../../../docs/policy.md'), 'utf8')

test('each check stands in the table with its action in each preset', () => {
  for (const check of CHECKS) {
    const row = `| \`${check}\` | ${PRESETS.map((preset) => PRESET_ACTIONS[preset][check]).join(' | ')} |`
    assert.ok(DOCUMENT.includes(row), row)
  }
})

test('the thresholds of each preset', () => {
  const cell = (preset: (typeof PRESETS)[number]): string => {
    const { tag, quarantine, reject } = PRESET_THRESHOLDS[preset]
    return [tag, quarantine, reject].map((points) => points ?? '–').join(', ')
  }
  assert.ok(DOCUMENT.includes(`| points: tag, quarantine, reject | ${PRESETS.map(cell).join(' | ')} |`))
})

test('each action and each fact is explained, with its words', () => {
  for (const action of new Set(Object.values(ALLOWED_ACTIONS).flat())) assert.match(DOCUMENT, new RegExp(`^\\| \`${action}\` \\|`, 'm'), action)
  for (const [name, fact] of Object.entries(FACTS)) {
    const row = DOCUMENT.slice(DOCUMENT.indexOf('| fact | values |')).split('\n').find((line) => (line.split('|')[1] ?? '').includes(`\`${name}\``))
    assert.ok(row !== undefined, name)
    if (fact.kind === 'word') for (const word of fact.words) assert.ok(row.includes(`\`${word}\``), `${name} ${word}`)
  }
})
