/** Which fields a judged message gets, for each kind of finding. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GOOD, LETTER, LIST, listed, PTR } from '../../support/judged-zone.ts'
import { judged, type JudgedOptions } from '../../support/judged.ts'

async function fieldsOf(options: JudgedOptions, lines: readonly string[] = LETTER, from?: string): Promise<string> {
  const stage = await judged(options)
  await stage.greeting()
  await stage.envelope(from)
  assert.match(await stage.message(lines), /^250/)
  return (stage.delivered()[0] ?? '').replaceAll(/\r\n[ \t]+/g, ' ')
}

test('the order: warnings, spam, Authentication-Results, Received-SPF', async () => {
  const text = await fieldsOf({ zone: { ...GOOD, ...LIST, [listed('bl.example')]: { A: ['127.0.0.2'] } }, policy: 'preset: observe, dnsbl: { lists: [bl.example] }' })
  assert.deepEqual(text.split('\r\n').slice(0, 7).map((line) => line.split(':')[0]), ['X-Warning', 'X-Spam-Score', 'X-Spam-Level', 'X-Spam-Status', 'Authentication-Results', 'Received-SPF', 'From'])
})

test('iprev: each result with RFC 8601\'s word', async () => {
  const policy = 'preset: observe'
  assert.match(await fieldsOf({ zone: {}, policy }), /iprev=permerror \(no PTR record\) policy\.iprev=192\.0\.2\.7;/)
  assert.match(await fieldsOf({ zone: { [PTR]: { PTR: ['a.example'] } }, policy }), /iprev=fail \(a\.example\) policy\.iprev=192\.0\.2\.7;/)
  assert.match(await fieldsOf({ zone: { [PTR]: 'servfail' }, policy }), /iprev=temperror policy\.iprev=192\.0\.2\.7;/)
})

test('what is marked as spam says so, with the prefix of its subject; nothing else does', async () => {
  const policy = 'preset: observe, spam: { tag: 2 }, subject_prefix: "[SPAM]"'
  const spam = await fieldsOf({ zone: { ...GOOD, 'sender.example': { TXT: ['v=spf1 -all'] } }, policy })
  assert.match(spam, /\r\nX-Spam-Flag: YES\r\nX-Spam-Score: 2\.0\r\nX-Spam-Level: \*\*\r\nX-Spam-Status: Yes, score=2\.0 required=2\.0 tests=SPF\r\n/)
  assert.match(spam, /\r\nSubject: \[SPAM\] Hello\r\n/)
  const ham = await fieldsOf({ zone: GOOD, policy })
  assert.doesNotMatch(ham, /X-Spam-Flag|\[SPAM\]/)
})

test('the Subject of what is set aside stays: nobody sees it there, and once it is released its signature is to hold', async () => {
  const stage = await judged({ zone: { ...GOOD, 'sender.example': { TXT: ['v=spf1 -all'] } }, policy: 'preset: observe, spam: { tag: 2, quarantine: 2 }, subject_prefix: "[SPAM]"' })
  await stage.greeting()
  await stage.envelope()
  assert.match(await stage.message(LETTER), /^250 2\.0\.0 Message taken/)
  assert.match(stage.kept[0]!.text, /\r\nX-Spam-Flag: YES\r\n[^]*\r\nSubject: Hello\r\n/)
})

test('spam fields of others stay, below ours: the topmost X-Spam-Status is ours, also of what is no spam', async () => {
  const text = await fieldsOf({ zone: GOOD }, ['X-Spam-Flag: YES', 'X-Spam-Status: Yes, score=99', ...LETTER])
  assert.deepEqual([...text.matchAll(/^X-Spam-(?:Flag|Status): \S+/gm)].map(([field]) => field), ['X-Spam-Status: No,', 'X-Spam-Flag: YES', 'X-Spam-Status: Yes,'])
})

test('without thresholds nothing is scored', async () => {
  assert.doesNotMatch(await fieldsOf({ zone: GOOD, policy: 'preset: observe, spam: { tag: never }' }), /X-Spam/)
})

test('a stranger\'s words cannot end a field', async () => {
  const text = await fieldsOf({ zone: { ...GOOD, '_dmarc.sender.example': { TXT: ['v=DMARC1; p=none'] } }, policy: 'preset: observe' }, ['From: "a\\"; dmarc=pass" <anna@sender.example>', '', 'x'], '"x; y"@sender.example')
  assert.match(text, /spf=pass smtp\.mailfrom="/)
  assert.match(text, /dmarc=pass \(p=none\) header\.from=sender\.example\r\n/)
  assert.equal(text.match(/dmarc=/g)?.length, 2)
})

test('checks that are off leave nothing', async () => {
  const off = ['rdns', 'fcrdns', 'generic_name', 'helo', 'sender_domain', 'spf', 'dkim', 'dmarc'].map((check) => `${check}: off`).join(', ')
  const text = await fieldsOf({ zone: GOOD, policy: `preset: observe, ${off}` })
  assert.match(text, /^X-Spam-Score: 0\.0\r\nX-Spam-Status: No, score=0\.0 required=5\.0 tests=none\r\nAuthentication-Results: mx\.example; none\r\nFrom:/)
})

test('where nothing is tagged, the score is told beside the lowest threshold that there is', async () => {
  const required = async (spam: string) => /X-Spam-Status: No, score=0\.0 required=([\d.]+)/.exec(await fieldsOf({ zone: GOOD, policy: `preset: observe, spam: { ${spam} }` }))?.[1]
  assert.deepEqual([await required('tag: never, quarantine: 4, reject: 9'), await required('tag: never, reject: 9')], ['4.0', '9.0'])
})
