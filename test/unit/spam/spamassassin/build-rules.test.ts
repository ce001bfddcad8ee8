import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fitsGlob } from '../../../../src/spam/spamassassin/metas.ts'
import { loadRules } from '../../../../src/spam/rules/load.ts'
import { contentOfText, NO_FACTS } from '../../../support/rules.ts'
import { cfTold, spamHits, spamRules } from '../../../support/spamassassin.ts'

const MESSAGE = 'From: a@example.org\nSubject: One two\n\none two three one\n\none\n'

test('scores: the last line counts, four of them are four sets, parts have none', () => {
  const scoreOf = (lines: string, scoreSet = 3) => spamRules(`body RULE /x/\nbody T_RULE /x/\nbody __PART /x/\n${lines}`, { scoreSet }).rules.map(({ rule }) => rule.score)
  assert.deepEqual(scoreOf(''), [1, 0.01, undefined])
  assert.deepEqual(scoreOf('score RULE 2\nscore RULE 3\nscore __PART 5'), [3, 0.01, undefined])
  assert.deepEqual(scoreOf('score RULE 1 2 3 4', 1), [2, 0.01, undefined])
  assert.deepEqual(scoreOf('score RULE 2\nscore RULE (0.5)'), [2.5, 0.01, undefined])
  assert.deepEqual(scoreOf('score RULE 0\nscore __PART 0'), [0.01], 'a score of 0 switches off, parts too')
})

test('a description says why; the last definition counts, of whatever kind', () => {
  const [rule] = spamRules('body RULE /x/\ndescribe RULE First\nlang de describe RULE Erstes\ndescribe RULE Sch\u00f6ner   Grund\nheader RULE Subject =~ /two/').rules
  assert.equal(rule?.rule.why, 'Sch\u00f6ner Grund')
  assert.deepEqual([rule.source, rule.place.line], ['local.cf', 5])
  assert.equal(spamRules('body RULE /x/').rules[0]?.rule.why, "SpamAssassin's rule RULE")
  assert.deepEqual(spamHits('body RULE /x/\nheader RULE Subject =~ /two/', MESSAGE), ['RULE'])
})

test('tflags noautolearn: nothing is learned of its points', () => {
  const { rules } = spamRules('body TEST_STRING /one/\ntflags TEST_STRING userconf NoAutolearn\nbody OTHER /two/\ntflags OTHER nice\nbody __PART /three/\ntflags __PART noautolearn')
  assert.deepEqual(rules.map(({ rule }) => [rule.id, rule.teaches]), [['TEST_STRING', false], ['OTHER', undefined], ['__PART', undefined]])
})

test('metas: logic and arithmetic over hits and counts', () => {
  const parts = `
    body __ONE /\\bone\\b/i
    tflags __ONE multiple
    body __TWO /\\btwo\\b/i
    tflags __TWO multiple maxhits=2
    body __NOT /nothing/
    body __ONCE /\\bone\\b/i
  `
  const holds = (expression: string) => spamHits(`${parts}\nmeta RULE ${expression}`, MESSAGE).includes('RULE')
  for (const expression of ['__ONE == 4', '__TWO == 2', '__ONCE == 1', '__ONE && !__NOT', '__ONE + __TWO > 5', '(__ONE && __TWO) == 2', '(__NOT || __ONE) == 4', '__NOT - __ONE', '(__ONE > 2) + (__TWO > 1) == 2',
    '!__NOT == 1', '__ONE * 0.5 == 2', '__ONE / 4 == 1', 'rules_matching(__*) == 7', '__NOT ? 0 : 1', '(__NOT ? 1 : __ONE) == 4', '-__ONE + 5 == 1', '__ABSENT + __TWO == 2', '!__ABSENT && __TWO']) assert.ok(holds(expression), expression)
  for (const expression of ['__NOT', '__ONE - 4', '__ONE / 0', '__ABSENT && __ONE', '__ONE > 4', '!__ONE', '__TWO > 2']) assert.ok(!holds(expression), expression)
})

test('metas of metas count their values', () => {
  assert.deepEqual(spamHits('body __A /one/\nmeta __SEVEN 7 * __A\nmeta __HALF __A * 0.5\nmeta RULE __SEVEN == 7 && __HALF == 0.5', MESSAGE), ['__A', '__SEVEN', '__HALF', 'RULE'])
})

test('a meta that others count hands on what its parts count', () => {
  const parts = `
    body __ONE /\\bone\\b/i
    tflags __ONE multiple
    body __TWO /\\btwo\\b/i
    tflags __TWO multiple
    body __NOT /nothing/
    meta __OR __NOT || __ONE
    meta __AND __TWO && __ONE
    meta __ROW __OR
    meta __BELOW __TWO - __ONE
    meta __FIXED 0 - 3
  `
  const holds = (expression: string) => spamHits(`${parts}\nmeta RULE ${expression}`, MESSAGE).includes('RULE')
  for (const expression of ['__OR == 4', '__AND == 4', '__ROW + __TWO == 6', '__ROW > 3', '(__NOT || __ROW) == 4',
    // Of what is below 0 and hits SpamAssassin says that it hit once.
    '__BELOW == 1', '__FIXED == 1', '__BELOW + __FIXED == 2']) assert.ok(holds(expression), expression)
  for (const expression of ['__OR == 1', '__BELOW < 0', '__BELOW != 1', '__FIXED < 0']) assert.ok(!holds(expression), expression)
})

test('a rule is none of those that its own rules_matching() names', () => {
  const { problems } = spamRules('body __A_1 /one/\nbody __A_2 /two/\nmeta __A_BOTH rules_matching(__A_*) == 2')
  assert.deepEqual(cfTold(problems), [])
  assert.deepEqual(spamHits('body __A_1 /one/\nbody __A_2 /two/\nmeta __A_BOTH rules_matching(__A_*) == 2', MESSAGE), ['__A_1', '__A_2', '__A_BOTH'])
})

test('names that stand for many rules have a bound, all together', () => {
  const bodies = Array.from({ length: 1000 }, (_, i) => `body __B${i} /b${i}/`).join('\n')
  const metas = Array.from({ length: 300 }, (_, i) => `meta M${i} rules_matching(__B*) > ${i}`).join('\n')
  const { rules, problems } = spamRules(`${bodies}\n${metas}`)
  assert.equal(rules.length, 1200)
  assert.equal(cfTold(problems)[0], 'local.cf:1201: rules_matching() of all rules name more than 200000 rules; it counts as not hit')
  assert.equal(problems.length, 100)
})

test('what is not honoured counts as not hit and is told once, with what rests on it', () => {
  const { rules, problems, notes } = spamRules(`header __RELAYS X-Spam-Relays-Trusted =~ /x/
body HERE /one/
meta A HERE && !__RELAYS
meta B HERE || __RELAYS
meta C __RELAYS
meta D !__RELAYS
meta E HERE && __GONE
meta F __GONE || HERE
meta OFF 0
meta ON 1
score ELSEWHERE 3`)
  assert.deepEqual(rules.map(({ rule }) => rule.id), ['HERE', 'A', 'B', 'F', 'ON'])
  assert.deepEqual(cfTold(problems), [
    'local.cf:1: X-Spam-Relays-Trusted is not known to Postern; it counts as not hit, also for 4 rules that rest on it; it can no longer keep A from hitting',
    'local.cf:5: can never hit: it rests on __RELAYS, which count as not hit',
    'local.cf:6: would hit every message, for it rests on __RELAYS, which count as not hit; it is not used',
    'local.cf:7: can never hit: it rests on __GONE, which count as not hit',
  ])
  assert.deepEqual(cfTold(notes), ['local.cf:7: __GONE is in none of the files; it counts as not hit', 'local.cf:11: ELSEWHERE is given a score and is in none of the files; scores of Postern\'s own rules stand in postern.yaml: spam.scores'])
})

test('a meta of numbers, and of metas of numbers, is decided beforehand and needs no word', () => {
  const { rules, problems } = spamRules(`meta A 1.5 > 1
meta B 1 > 2
meta C !0
meta D C ? 3 : 0
meta E D == 3 && !B
meta F rules_matching(ABSENT*) == 0
meta G A - 1
meta H E && __GONE`)
  assert.deepEqual(rules.map(({ rule }) => rule.id), ['A', 'C', 'D', 'E', 'F'])
  assert.deepEqual(cfTold(problems), ['local.cf:8: can never hit: it rests on __GONE, which count as not hit'])
  assert.deepEqual(spamHits('meta A 2 * 2\nmeta B A == 4\nmeta C B && __ONE\nbody __ONE /one/', MESSAGE), ['A', 'B', 'C', '__ONE'])
})

test('rules that only a glob names are told like others', () => {
  const { rules, problems } = spamRules('header X_ONE X-Spam-Relays-Trusted =~ /x/\nmeta A rules_matching(X_*) == 0')
  assert.deepEqual(rules.map(({ rule }) => rule.id), [])
  assert.equal(cfTold(problems)[1], 'local.cf:2: would hit every message, for it rests on X_ONE, which count as not hit; it is not used')
})

test('a glob may have many stars', () => {
  for (const [glob, fits] of [['*', true], ['ABC', true], ['AB', false], ['A?C', true], ['A*', true], ['*C', true], ['*B*', true], ['A**?C*', true], ['*BB*', false], ['????', false], ['', false]] as const) assert.equal(fitsGlob('ABC', glob), fits, glob)
  assert.equal(fitsGlob('a'.repeat(120), `${'*a'.repeat(60)}*b`), false)
  assert.equal(fitsGlob(`${'a'.repeat(120)}b`, `${'*a'.repeat(60)}*b`), true)
})

test('circles are broken and told; rows of rules have a bound', () => {
  const circle = spamRules('body __X /one/\nmeta A B || __X\nmeta B A || __X\nmeta SELF SELF || __X')
  assert.deepEqual(cfTold(circle.problems), ['local.cf:3: rests on A, which rests on it; A counts as not hit there', 'local.cf:4: rests on SELF, which rests on it; SELF counts as not hit there'])
  assert.deepEqual(loadRules({ files: [], others: circle.rules }).problems, [])
  const row = Array.from({ length: 300 }, (_, i) => `meta M${i} M${i - 1} && __X`)
  for (const lines of [row, row.toReversed()]) {
    const { rules, problems } = spamRules(`body __X /one/\nmeta M-1 __X\nbody M_1 /one/\n${lines.join('\n').replace('M-1', 'M_1')}`)
    const loaded = loadRules({ files: [], others: rules })
    assert.deepEqual(loaded.problems, [])
    assert.ok(problems.some(({ problem }) => /more than 48 deep/.test(problem)))
    loaded.rules.evaluate(contentOfText(MESSAGE), NO_FACTS)
  }
})

test('what lies in each other through many rules has a bound, whatever their order', () => {
  const nested = (inner: string): string => Array.from({ length: 96 }).reduce<string>((text, _, level) => (level % 2 === 0 ? `(__X && ${text})` : `(__Z || ${text})`), inner)
  const compared = (inner: string): string => `${inner}${' > __X'.repeat(90)}`
  const [content, parts] = [contentOfText(MESSAGE), 'body __X /one/\ntflags __X multiple\nbody __Z /zebra/\nbody M0 /one/']
  for (const form of [nested, compared]) {
    const row = Array.from({ length: 46 }, (_, i) => `meta M${i + 1} ${form(`M${i}`)}`)
    for (const lines of [row, row.toReversed()]) {
      const { rules, problems } = spamRules(`${parts}\n${lines.join('\n')}`)
      assert.ok(problems.some(({ rule, problem }) => rule === 'M5' && problem === 'with the rules that it rests on it is nested more than 400 deep; it counts as not hit'))
      const loaded = loadRules({ files: [], others: rules })
      assert.deepEqual(loaded.problems, [])
      assert.doesNotThrow(() => loaded.rules.evaluate(content, NO_FACTS))
    }
  }
})

test('what rests on itself twice and twice again is asked once each', () => {
  const doubling = Array.from({ length: 40 }, (_, i) => `meta M${i + 1} M${i} + M${i} > 0 && (M${i} || M${i})\nmeta N${i + 1} N${i} + N${i}`)
  assert.equal(spamHits(`body M0 /one/\nbody N0 /one/\n${doubling.join('\n')}`, MESSAGE).length, 82)
})

test('the rules take part with Postern\'s own: they may replace one, and be switched off', () => {
  const { rules } = spamRules('body RULE /one/\nscore RULE 2.5')
  const loaded = loadRules({ files: [], others: rules, scores: new Map([['RULE', 0.5]]) })
  assert.deepEqual(loaded.problems, [])
  assert.deepEqual(loaded.rules.evaluate(contentOfText(MESSAGE), NO_FACTS), { hits: [{ id: 'RULE', score: 0.5, why: "SpamAssassin's rule RULE", excerpt: 'one' }], score: 0.5, incomplete: undefined })
})

test('a pattern that could take for ever ends at its bound, and is not known', () => {
  const { rules } = loadRules({ files: [], others: spamRules('body RULE /(x+x+)+(?=y)\\1z/\nrawbody OTHER /hello/').rules })
  const outcome = rules.evaluate(contentOfText(`Subject: x\n\n${'x'.repeat(1900)}\n\nhello`), NO_FACTS)
  assert.deepEqual(outcome.hits.map(({ id }) => id), ['OTHER'])
})

test('what one rule or another counts is not known where it hangs on one that is not; whether one of them hits may be', () => {
  const dark = '/(x+x+)+(?=y)\\1z/'
  const parts = `body __DARK ${dark}\nbody __DARKS ${dark}\ntflags __DARKS multiple\nrawbody __ONE /hello/\nrawbody __TWO /hello/\ntflags __TWO multiple\nrawbody __NONE /nothing/\nmeta __META __DARKS || __ONE`
  const message = `Subject: x\n\n${'x'.repeat(1900)}\n\nhello hello`
  const told = (expression: string) => spamHits(`${parts}\nmeta YES ${expression}\nmeta NO !(${expression})`, message).filter((id) => !id.startsWith('__')).join()
  for (const expression of ['__DARKS || __ONE', '__DARK || __TWO', '(__DARK || __ONE) == 1', '(__DARK || __ONE) + (__NONE || __DARK || __ONE) == 2', '(__TWO || __DARKS) == 2', '(__DARKS || __TWO) > 0', '(__DARKS || __TWO) != 0',
    '(__DARKS || __NONE || __ONE) >= 1', '!((__DARKS || __ONE) == 0)', '!((__DARKS || __ONE) <= 0)', '!((__DARKS || __ONE) < 1)', '__META', '(__DARKS - 1 || __ONE) != 0']) assert.equal(told(expression), 'YES', expression)
  for (const expression of ['(__DARKS || __ONE) > 1', '(__DARKS || __ONE) == 1', '(__DARK || __TWO) > 1', '(__DARKS || __TWO) * 2 > 2', '(__DARKS - 1 || __ONE) > 0', '__DARK || __NONE', '(__DARK * 0.5 || __ONE) >= 1']) assert.equal(told(expression), '', expression)
})

test('a rule for good mail that has no score takes a point away', () => {
  const { rules } = spamRules('body A /a/\ntflags A nice\nbody B /b/\ntflags B nice\nscore B -3')
  assert.deepEqual(rules.map(({ rule }) => rule.score), [-1, -3])
})

test('what a comment cut off is said', () => {
  const { problems } = spamRules('uri A m;^https?://[^#]+;\nbody B /b/ # why\nuri C m#x#\nbody D /d')
  assert.deepEqual(cfTold(problems), [
    'local.cf:1: the pattern is not closed; what stands behind a # is a comment: write \\# for the sign; it counts as not hit',
    'local.cf:3: no pattern stands there; it is written /\u2026/ or m{\u2026}; what stands behind a # is a comment: write \\# for the sign; it counts as not hit',
    'local.cf:4: the pattern is not closed; it counts as not hit',
  ])
})

test('rules that are in none of the files: where Postern has such a thing', () => {
  const { notes } = spamRules('score BAYES_99 5\nscore RCVD_IN_XBL 2\nscore MINE 1\nmeta M URIBL_BLACK || A\nbody A /a/')
  assert.deepEqual(cfTold(notes), [
    'local.cf:1: BAYES_99 is given a score and is in none of the files; Postern has a classifier of its own: spam.bayes, "postern train"',
    'local.cf:2: RCVD_IN_XBL is given a score and is in none of the files; lists of addresses in the DNS are asked by Postern itself: policy.dnsbl, policy.dnswl (its resolver: dns.servers)',
    "local.cf:3: MINE is given a score and is in none of the files; scores of Postern's own rules stand in postern.yaml: spam.scores",
    'local.cf:4: URIBL_BLACK is in none of the files; it counts as not hit; lists of domains, addresses and hashes that mail links to are asked by Postern itself: spam.uri_lists',
  ])
})

test('what is switched off and is in none of the files is told once a file', () => {
  const off = Array.from({ length: 7 }, (_, i) => `score OFF_${i} 0`).join('\n')
  const { notes } = spamRules({ 'a.cf': `score A 1\n${off}`, 'b.cf': 'score B 0' })
  assert.deepEqual(cfTold(notes), [
    "a.cf:1: A is given a score and is in none of the files; scores of Postern's own rules stand in postern.yaml: spam.scores",
    "a.cf:2: OFF_0, OFF_1, OFF_2, OFF_3, OFF_4 and 2 more: given the score 0, and in none of the files; scores of Postern's own rules stand in postern.yaml: spam.scores",
    "b.cf:1: B: given the score 0, and in none of the files; scores of Postern's own rules stand in postern.yaml: spam.scores",
  ])
})

test('what a rule that is not honoured kept from hitting is told', () => {
  const { rules, problems, notes } = spamRules(`body CODE eval:odd()
meta A B && !CODE
meta C (B + CODE < 1) || B
body B /b/
meta D B && !(ABSENT || CODE)
meta E B && (CODE == 0)
meta F !CODE
ifplugin Mail::SpamAssassin::Plugin::FreeMail
header FREE eval:check_freemail()
endif
meta G B && !FREE
meta H B && !OFF && !B > 0
score OFF 0`)
  assert.deepEqual(rules.map(({ rule }) => rule.id), ['A', 'C', 'B', 'D', 'E', 'G', 'H'])
  assert.deepEqual(cfTold(problems), [
    "local.cf:1: it asks by code of SpamAssassin's, odd(); it counts as not hit, also for 5 rules that rest on it; it can no longer keep A, C, D, E from hitting",
    'local.cf:7: would hit every message, for it rests on CODE, which count as not hit; it is not used',
  ])
  assert.deepEqual(cfTold(notes).filter((note) => /FREE|ABSENT/.test(note)), [
    'local.cf:5: ABSENT is in none of the files; it counts as not hit; it can no longer keep D from hitting',
    'local.cf:8: the block is skipped, for it asks for Plugin::FreeMail, which Postern does not have; in it: FREE',
    'local.cf:11: FREE is a rule of a plugin that Postern does not have; it can no longer keep G from hitting',
  ])
})

test('an exception that the site has switched off itself is not told as one that is lost', () => {
  const notes = (score: string) => spamRules(`body A /one/\nmeta X A && !GONE\n${score}`).notes.map(({ problem }) => problem)
  assert.ok(notes('').some((note) => note.includes('it can no longer keep X from hitting')), notes('').join())
  assert.ok(!notes('score GONE 0').some((note) => note.includes('no longer keep')), notes('score GONE 0').join())
})
