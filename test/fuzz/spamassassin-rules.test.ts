/** Files in SpamAssassin's format of all kinds, and messages for their rules: nothing throws, and what is left is in order. */
import assert from 'node:assert/strict'
import { loadRules } from '../../src/spam/rules/load.ts'
import { NO_FACTS } from '../support/rules.ts'
import { contentOfBytes, spamRules } from '../support/spamassassin.ts'
import { SAMPLE_MESSAGES, SAMPLE_RULES } from '../support/spamassassin-samples.ts'
import { fuzz } from '../support/fuzzing.ts'

const LINES = SAMPLE_RULES.split('\n')
const WORDS = ['header ', 'body ', 'meta ', 'A', 'B', '__C', ' =~ ', '/x+/', '/(a|b)*c/i', 'm{', '}', ' && ', ' || ', '!', '(', ')', ' + ', ' > 1', '\n', '\nif ', '\nendif\n', '\nelse\n', 'plugin(', 'version', 'score A ', '(1)', '1 2 3 4', '#', '\\#', 'eval:x()', 'exists:To',
  'tflags A multiple', 'replace_tag A <A>', '<A>', 'replace_rules A', 'rules_matching(*)', ' ? ', ' : ', '[if-unset: x]', ':raw', ':addr', 'include x', '\x00', '\xff', 'Subject', 'ALL']
const MESSAGES = SAMPLE_MESSAGES.map((message) => message.toString('latin1'))

fuzz('SpamAssassin rules', 1500, (random) => {
  const lines = Array.from({ length: random.below(12) }, () => random.spoil(random.pick(LINES), WORDS))
  const text = random.chance(0.7) ? lines.join('\n') : random.soup(WORDS, 60)
  const { rules, problems, notes } = spamRules(text)
  for (const { line, problem } of [...problems, ...notes]) assert.ok(line !== undefined && line > 0 && problem !== '')
  assert.equal(new Set(rules.map(({ rule }) => rule.id)).size, rules.length)
  const loaded = loadRules({ files: [], others: rules })
  assert.deepEqual(loaded.problems, [])
  loaded.rules.evaluate(contentOfBytes(random.spoil(random.pick(MESSAGES), ['\n', '\n\n', '=?', '<', '"', '(', '--b1\n', 'From:', '\x00', ' '])), NO_FACTS)
})
