/** What content does to a verdict: points, tags, refusals; and what could not be found out, which never refuses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GOOD, LETTER } from '../../support/judged-zone.ts'
import { judged, type JudgedOptions } from '../../support/judged.ts'
import { scoringStage } from '../../support/scoring-stage.ts'
import type { EngineReport } from '../../../src/spam/engines/create-engines.ts'

const GTUBE = 'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X'

async function sent(options: Partial<JudgedOptions>, text: string) {
  const stage = await judged({ zone: GOOD, ...options })
  await stage.greeting()
  await stage.envelope()
  const reply = await stage.message([...LETTER.slice(0, -1), text])
  return { reply, fields: (stage.delivered()[0] ?? '').replaceAll(/\r\n[ \t]+/g, ' '), record: stage.remembered.at(-1)?.record, stage }
}

const loggedTests = ({ record }: Awaited<ReturnType<typeof sent>>): unknown => (record?.['transaction'] as { readonly tests?: unknown } | undefined)?.tests

const report = (outcome: EngineReport['outcome'], more: Partial<EngineReport> = {}): EngineReport => ({ engine: 'clamav', kind: 'clamav', outcome, contribution: undefined, down: 'flow', tooBig: 'flow', least: -5, tookMs: 1, ...more })

test('a message waits for company once it is whole, where its content is looked at', async () => {
  const joined: number[] = []
  const company = { join: (bytes: number) => (joined.push(bytes), Promise.resolve()) }
  const { reply } = await sent({ company, scoring: scoringStage().scoring }, GTUBE)
  assert.match(reply, /^550/)
  assert.equal(joined.length, 1)
  assert.ok((joined[0] ?? 0) > GTUBE.length)
  await sent({ company }, 'x')
  await sent({ company, scoring: scoringStage().scoring, policy: 'preset: standard, content: off, bayes: off, uri_list: off, correspondent: off, virus: off, engine: off' }, 'x')
  assert.equal(joined.length, 1)
})

test('GTUBE is refused, by its score', async () => {
  const { reply } = await sent({ scoring: scoringStage().scoring }, GTUBE)
  assert.match(reply, /^550 5\.7\.1 .*spam.*\(ID\d+\)/)
})

test('rules count, their names stand in X-Spam-Status and in the decision, with what they matched', async () => {
  const { reply, fields, record } = await sent({ scoring: scoringStage().scoring, policy: 'preset: standard, spam: { tag: 2 }' }, 'This is a special offer')
  assert.match(reply, /^250/)
  assert.match(fields, /X-Spam-Flag: YES\r\nX-Spam-Score: 2\.5\r\nX-Spam-Level: \*\*\r\nX-Spam-Status: Yes, score=2\.5 required=2\.0 tests=SAYS_OFFER\r\n/)
  assert.match(JSON.stringify(record?.['verdict']), /"name":"SAYS_OFFER","points":2\.5,"why":"It says that it is an offer: special offer"/)
})

test('facts of authentication are there for rules', async () => {
  const { fields } = await sent({ scoring: scoringStage().scoring, zone: { ...GOOD, 'sender.example': { TXT: ['v=spf1 -all'] } }, policy: 'preset: observe' }, 'special offer')
  assert.match(fields, /tests=SPF,SAYS_OFFER,SPF_FAILS_AND_OFFERS/)
})

test('a check that is off has no say, and a check that is noted none but a mention', async () => {
  assert.doesNotMatch((await sent({ scoring: scoringStage().scoring, policy: 'preset: standard, content: off' }, GTUBE)).fields, /GTUBE,|tests=GTUBE/)
  assert.match((await sent({ scoring: scoringStage().scoring, policy: 'preset: standard, content: note' }, GTUBE)).reply, /^250/)
})

test('a virus is refused, set aside or let through, as the policy says; the scanner is told what it needs', async () => {
  const stage = scoringStage({ reports: [report({ status: 'virus', name: 'Eicar-Test' })] })
  assert.match((await sent({ scoring: stage.scoring }, 'x')).reply, /^550 5\.7\.1 .*virus \(Eicar-Test\)/)
  assert.deepEqual(stage.scanned, [{ sender: 'anna@sender.example', recipients: ['b@hop.example'], id: stage.scanned[0]?.id ?? '', prefix: '' }])
  const kept = await sent({ scoring: stage.scoring, policy: 'preset: standard, virus: quarantine' }, 'x')
  assert.match(kept.reply, /^250/)
  assert.equal(kept.stage.kept.length, 1)
  const warned = await sent({ scoring: stage.scoring, policy: 'preset: observe' }, 'x')
  assert.match(warned.fields, /X-Warning: this message contains a virus: Eicar-Test/)
})

test('an engine that is down lets mail flow; a scanner may be told to keep it waiting', async () => {
  const down = { status: 'temperror', cause: 'nobody answers' } as const
  assert.match((await sent({ scoring: scoringStage({ reports: [report(down), report(down, { engine: 'rspamd', kind: 'rspamd' })] }).scoring }, 'x')).reply, /^250/)
  assert.match((await sent({ scoring: scoringStage({ reports: [report(down, { down: 'tempfail' })] }).scoring }, 'x')).reply, /^451 4\.7\.1 .*viruses/)
})

test('what could not be found out stands among the tests, of the message and of the log: it is no clean mail; what is only noted does not', async () => {
  const rules = (): Promise<never> => Promise.reject(new Error('EMFILE'))
  const unjudged = await sent({ scoring: scoringStage({ rules }).scoring }, 'special offer')
  assert.match(unjudged.fields, /X-Spam-Score: 0\.0\r\nX-Spam-Status: No, score=0\.0 required=5\.0 tests=CONTENT_TEMPERROR\r\n/)
  assert.deepEqual(loggedTests(unjudged), ['content:temperror'])
  const down = { status: 'temperror', cause: 'nobody answers' } as const
  const unasked = await sent({ scoring: scoringStage({ reports: [report(down), report(down, { engine: 'rspamd', kind: 'rspamd' }), report(down, { engine: 'sa', kind: 'spamassassin' })] }).scoring }, 'x')
  assert.match(unasked.fields, / tests=VIRUS_TEMPERROR,ENGINE_TEMPERROR\r\n/)
  assert.deepEqual(loggedTests(unasked), ['virus:temperror', 'engine:rspamd: nobody answers', 'engine:sa: nobody answers'])
  const noted = await sent({ scoring: scoringStage({ rules }).scoring, policy: 'preset: standard, content: note' }, 'x')
  assert.match(noted.fields, / tests=none\r\n/)
  assert.equal(loggedTests(noted), undefined)
})

test('a message that nobody has searched to the end says so, and is told from one that was', async () => {
  const { reply, fields, record } = await sent({ scoring: scoringStage({ reports: [report({ status: 'too-big' })] }).scoring }, 'x')
  assert.match(reply, /^250/)
  assert.match(fields, /X-Spam-Status: No, score=[^\r]* tests=[^\r]*VIRUS_NOT_SEARCHED/)
  assert.doesNotMatch(fields, /X-Warning/)
  assert.match(JSON.stringify(record?.['checks']), /"check":"clamav","result":"too-big"/)
  assert.doesNotMatch((await sent({ scoring: scoringStage({ reports: [report({ status: 'clean' })] }).scoring }, 'x')).fields, /VIRUS_NOT_SEARCHED/)
  const refused = await sent({ scoring: scoringStage({ reports: [report({ status: 'too-big' }, { tooBig: 'reject' })] }).scoring }, 'x')
  assert.match(refused.reply, /^550 5\.3\.4 .*too large to be searched for viruses/)
})

test('a correspondent takes points away; one that cannot be looked up refuses nothing for good', async () => {
  const known = { record: () => ({ status: 'none', why: '' }) as const, known: () => ({ status: 'known' }) as const }
  const policy = 'preset: standard, spam: { tag: 2, reject: 2.5 }'
  assert.match((await sent({ scoring: scoringStage().scoring, policy }, 'special offer')).reply, /^550/)
  assert.match((await sent({ scoring: scoringStage({ correspondents: known }).scoring, policy }, 'special offer')).reply, /^250/)
  const broken = { ...known, known: () => ({ status: 'temperror', cause: 'disk' }) as const }
  assert.match((await sent({ scoring: scoringStage({ correspondents: broken }).scoring, policy }, 'special offer')).reply, /^451/)
})

test('the verdict is told once, to whoever learns', async () => {
  const stage = scoringStage()
  await sent({ scoring: stage.scoring }, 'special offer')
  assert.deepEqual(stage.lessons.map(({ verdict, author }) => [verdict.action, author?.address]), [['accept', 'anna@sender.example']])
})

test('an exempt client is not read', async () => {
  const stage = scoringStage()
  const { reply } = await sent({ scoring: stage.scoring, client: undefined }, GTUBE)
  assert.match(reply, /^250/)
  assert.deepEqual(stage.lessons, [])
})
