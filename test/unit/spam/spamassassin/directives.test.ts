import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cfTold, spamHits, spamRules } from '../../../support/spamassassin.ts'

const MESSAGE = 'From: a@example.org\nSubject: viagra\n\nV1agra and money\n'

test('blocks are taken or skipped; what is skipped because something is missing is noted once', () => {
  const { rules, notes } = spamRules(`if (version >= 4.000000)
  body A /a/
else
  body B /b/
endif
ifplugin Mail::SpamAssassin::Plugin::FreeMail
  header C eval:check_freemail_from()
  score C 1
  ifplugin Mail::SpamAssassin::Plugin::DKIM
    meta D C
  endif
endif # of it
if !plugin(Mail::SpamAssassin::Plugin::FreeMail)
  meta E A
endif
ifplugin Mail::SpamAssassin::Plugin::Pyzor
  use_pyzor 1
endif
meta F C || A
if 1
body G /g/`)
  assert.deepEqual(rules.map(({ rule }) => rule.id), ['A', 'E', 'F', 'G'])
  assert.deepEqual(cfTold(notes), [
    'local.cf:6: the block is skipped, for it asks for Plugin::FreeMail, which Postern does not have; in it: C, D',
    'local.cf:20: the block is not closed; it ends with the file',
  ])
})

test('settings are noted once a file, with where Postern has them; what needs no word is passed over', () => {
  const { notes } = spamRules({ 'a.cf': 'required_score 5\nwelcomelist_from *@example.org\nwelcomelist_from *@example.net\nfrobnicate 1\npriority X 1\nlang de describe X y\nloadplugin Mail::SpamAssassin::Plugin::MIMEHeader', 'b.cf': 'required_score 7\nloadplugin Foo foo.pm' })
  assert.deepEqual(cfTold(notes), [
    'a.cf:1: required_score is passed over: set in postern.yaml: policy.spam',
    "a.cf:2: welcomelist_from (2 lines) is passed over: wanted senders stand in Postern's allow list, by what their mail proves and not by From: policy.allow, edited by \"postern allow add\"",
    'a.cf:4: frobnicate is passed over: not known to Postern',
    'b.cf:1: required_score is passed over: set in postern.yaml: policy.spam',
    'b.cf:2: loadplugin is passed over: plugins of SpamAssassin are not loaded',
  ])
})

test('rules of foreign kinds and broken lines are told', () => {
  const { problems, notes } = spamRules('uri_detail X domain =~ /x/\nscore Y one\nbody Y /y/\nbody 1X /x/\nbody Z\nmeta W (Y\nmeta V X')
  assert.deepEqual(cfTold(problems), [
    'local.cf:1: uri_detail rules are not honoured: not known to Postern',
    'local.cf:2: the score cannot be read; it is one number or four, such as 1.5 or (0.5)',
    'local.cf:6: the expression is incomplete, or two values stand side by side; it counts as not hit',
    'local.cf:7: can never hit: it rests on X, which count as not hit',
  ])
  assert.deepEqual(cfTold(notes).map((note) => note.slice(0, 12)), ['local.cf:4: ', 'local.cf:5: '])
})

test('tags are replaced in the rules that are named, wherever they are named', () => {
  const rules = `
    body FUZZY /<inter W><A><G><R><A>/i
    replace_rules FUZZY OTHER
    replace_tag A [a4]
    replace_tag G [g9]
    replace_tag R r
    replace_inter W \\W?
    body PLAIN /<A>/`
  assert.deepEqual(spamHits(rules, MESSAGE), ['FUZZY'])
})

test('files include others, relative to themselves and within bounds', () => {
  const { rules, notes } = spamRules({ '/etc/a/top.cf': 'include sub/one.cf\nbody B /b/\ninclude gone.cf\ninclude /etc/a/loop.cf' }, {
    included: { '/etc/a/sub/one.cf': 'body A /a/\nif 1', '/etc/a/loop.cf': 'include loop.cf' },
  })
  assert.deepEqual(rules.map(({ rule, source }) => [rule.id, source]), [['A', '/etc/a/sub/one.cf'], ['B', '/etc/a/top.cf']])
  assert.deepEqual(cfTold(notes), [
    '/etc/a/sub/one.cf:2: the block is not closed; it ends with the file',
    '/etc/a/top.cf:3: gone.cf is not there, or cannot be read',
    '/etc/a/loop.cf:1: files include each other more than 16 deep',
  ])
})

test('there are at most 20,000 rules', () => {
  const { rules, problems } = spamRules(Array.from({ length: 20_010 }, (_, i) => `header R${i} exists:X-${i}`).join('\n'))
  assert.equal(rules.length, 20_000)
  assert.deepEqual(cfTold(problems), ['local.cf:20001: there are more than 20000 rules; this one and those behind it are not used'])
})

test('a block for a handler is one; else and endif stand alone', () => {
  const { rules, notes } = spamRules(`if (version >= 4)
  ifhandler Mail::SpamAssassin::Handler::ICS
    body A eval:check_ics()
  else
    body B /b/
  endif
  body C /c/
else if (version < 3)
endif of it
  body D /d/
endif
body E /e/`)
  assert.deepEqual(rules.map(({ rule }) => rule.id), ['B', 'C', 'D', 'E'])
  assert.deepEqual(cfTold(notes), [
    'local.cf:2: the block is skipped, for it asks for Handler::ICS, which Postern does not have; in it: A',
    'local.cf:8: else is to stand alone; the line has no effect',
    'local.cf:9: endif is to stand alone; the line has no effect',
  ])
})

test('flags may be parted by commas, and a description may end in any letter', () => {
  const { rules } = spamRules('body A /a/\ntflags A multiple,maxhits=3\nmeta B A > 2\ndescribe B voil\u00e0')
  assert.match(JSON.stringify(rules[0]?.rule), /"most":3/)
  assert.equal(rules[1]?.rule.why, 'voil\u00e0')
})

test('a block that is skipped says where Postern has such a thing', () => {
  const { notes } = spamRules("ifplugin Mail::SpamAssassin::Plugin::DNSEval\nheader A eval:check_rbl('x', 'y.')\nendif")
  assert.deepEqual(cfTold(notes), ['local.cf:1: the block is skipped, for it asks for Plugin::DNSEval, which Postern does not have; in it: A; lists of addresses in the DNS are asked by Postern itself: policy.dnsbl, policy.dnswl (its resolver: dns.servers)'])
})

test('a blank that is none of ASCII is told as such', () => {
  const { rules, notes } = spamRules('body A /a/\nbody\u00a0B /b/\n\u00a0body C /c/')
  assert.deepEqual(rules.map(({ rule }) => rule.id), ['A'])
  assert.deepEqual(cfTold(notes), [2, 3].map((line) => `local.cf:${line}: the line is passed over: its keyword holds a character that is none of ASCII, such as a blank out of a web page`))
})

test('rules of kinds that plugins bring are told by their names', () => {
  const { problems, notes } = spamRules('ascii A /x/i\nattachment_rule B name =~ /x/\nodd C eval:odd()\nredirector_pattern m/x/\nodd_setting some /path\nscore A 2\nmeta M A || D\nbody D /d/')
  assert.deepEqual(cfTold(problems), ['local.cf:1: ascii rules are not honoured: not known to Postern', 'local.cf:2: attachment_rule rules are not honoured: not known to Postern', 'local.cf:3: odd rules are not honoured: not known to Postern'])
  assert.deepEqual(cfTold(notes), ['local.cf:4: redirector_pattern is passed over: Postern follows no link', 'local.cf:5: odd_setting is passed over: not known to Postern'])
})
