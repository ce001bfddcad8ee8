import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaluate, hasPlugin, Switches } from '../../../../src/spam/spamassassin/switches.ts'

const P = 'Mail::SpamAssassin::'
const value = (expression: string) => {
  const answer = evaluate(expression)
  return typeof answer === 'string' ? answer : answer.value
}

test('conditions are worked out', () => {
  assert.equal(value('(version >= 3.004002)'), 1)
  assert.equal(value('version < 4.000000'), 0)
  assert.equal(value('!(version >= 4)'), 0)
  assert.equal(value('perl_version >= 5.018000 && version > 3'), 1)
  assert.equal(value('0 || 2 > 1'), 1)
  assert.equal(value('1 + 2 * 3 == 7'), 1)
  assert.equal(value('(1 - 3) / 2 == -1'), 1)
  assert.equal(value('local_tests_only'), 0)
  assert.equal(value('1 / 0'), 0)
  assert.equal(value(`can(${P}Conf::feature_bug6558_free)`), 1)
  assert.equal(value(`can(${P}Conf::has_tflags_nosubject) && can(${P}Conf::feature_meta_rules_matching) && can(${P}Plugin::MIMEHeader::has_tflags_multiple)`), 1)
  assert.equal(value(`plugin ( ${P}Plugin::MIMEHeader )`), 1)
})

test('what is asked for and is not there is named', () => {
  assert.deepEqual(evaluate(`plugin(${P}Plugin::FreeMail) && has(${P}Conf::nothing)`), { value: 0, lacks: 'Plugin::FreeMail, Conf::nothing' })
  assert.ok(!hasPlugin('MIMEHeader'))
})

test('what is no condition is told', () => {
  assert.equal(value('version >='), 'the condition is incomplete')
  assert.equal(value('(1'), 'the condition is incomplete')
  assert.equal(value('1 1'), 'the condition is incomplete')
  assert.match(String(value('system("x")')), /asks for system|cannot be read/)
  assert.match(String(value('1 @ 2')), /cannot be read from "@ 2" on/)
  assert.match(String(value('1'.concat('+1'.repeat(300)))), /cannot be read/)
})

test('blocks lie in each other; else is the other branch; a condition that cannot be read has no branch', () => {
  const switches = new Switches()
  assert.equal(switches.begin('1', 1), undefined)
  assert.ok(switches.active)
  assert.equal(switches.begin(`plugin(${P}Plugin::FreeMail)`, 2), undefined)
  assert.ok(!switches.active)
  assert.deepEqual([switches.skipped?.line, switches.skipped?.lacks], [2, 'Plugin::FreeMail'])
  switches.else()
  assert.ok(switches.active)
  switches.else()
  assert.ok(!switches.active)
  switches.end()
  assert.equal(switches.begin('nonsense', 5), 'the condition asks for nonsense, which is not known')
  switches.else()
  assert.ok(!switches.active)
  assert.deepEqual(switches.open, [1, 5])
  switches.end()
  switches.end()
  assert.equal(switches.end(), 'endif ends nothing')
  assert.equal(switches.else(), 'else stands outside of any block')
})

test('blocks that lie too deep do not count, and end where they end', () => {
  const switches = new Switches()
  for (let depth = 0; depth < 100; depth++) assert.equal(switches.begin('1', depth), undefined)
  assert.match(switches.begin('1', 101) ?? '', /more than 100 deep/)
  assert.ok(!switches.active)
  switches.else()
  assert.ok(!switches.active)
  switches.end()
  assert.ok(switches.active)
})
