/**
 * `postern train` and changed rules beside a gateway that runs: its workers take
 * up what is new, and nothing is started again.
 */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { missing } from '../support/peers/programs.ts'
import { LETTER, type Stage } from '../support/policy-stage.ts'
import { CLIENT } from '../support/policy-zone.ts'
import { temporaryDirectory, until } from '../support/process.ts'
import { postern, rulesRead, sendAndTake, startSpamStage, untilEachWorker, type SpamStatus } from '../support/spam-stage.ts'
import { taughtMessage, writeMaildir } from '../support/taught-mail.ts'

const NEW_SPAM = taughtMessage('spam', 9001)
const NEW_HAM = taughtMessage('ham', 9001)
const POLICY = { early_talker_wait: '0s', spam: { reject: 'never' } }

const bayes = ({ tests }: SpamStatus): string => tests.find((name) => name.startsWith('BAYES_')) ?? 'none'

describe('learning beside the gateway', { skip: missing('swaks') }, () => {
  let stage: Stage
  const directory = temporaryDirectory('learning')
  const [spam, ham] = [join(directory, 'spam'), join(directory, 'ham')]
  before(async () => {
    stage = await startSpamStage({ spam: { shipped_rules: false } })
  })
  after(() => stage.stop())

  const train = async (expected: RegExp, ...words: readonly string[]): Promise<void> => {
    const { code, output } = await postern(stage.gateway, 'train', ...words)
    assert.equal(code, 0, output)
    assert.match(output, expected)
  }
  const workersSay = (data: string, expected: RegExp): Promise<SpamStatus> => untilEachWorker(stage, CLIENT.clean, { mail: { data }, fits: (found) => expected.test(bayes(found)) })

  test('the classifier is silent until it knows 200 of each, and then all workers have it', async () => {
    await train(/200 learned as ham, 0 known already/, 'ham', writeMaildir(ham, 'ham', { count: 200 }))
    await train(/199 learned as spam.*[^]*no say before it knows 200 of each: 1 unwanted to go/, 'spam', writeMaildir(spam, 'spam', { count: 199 }))
    const silent = await sendAndTake(stage, CLIENT.clean, { data: NEW_SPAM })
    assert.deepEqual([silent.spam, bayes(silent)], [false, 'none'])
    // What is known already is not learned again.
    await train(/1 learned as spam, 199 known already/, 'spam', writeMaildir(spam, 'spam', { from: 199, count: 1 }))
    const found = await workersSay(NEW_SPAM, /^BAYES_9/)
    // So few lessons do not tag by themselves.
    assert.ok(!found.spam && found.score > 3 && found.score < 5, found.fields)
    const wanted = await workersSay(NEW_HAM, /^BAYES_00$/)
    assert.ok(!wanted.spam && wanted.score < 0, wanted.fields)
    const { id } = await sendAndTake(stage, CLIENT.clean, { data: NEW_SPAM })
    await stage.decision(id)
    assert.match((await postern(stage.gateway, 'why', id)).output, /^ +\+\d[\d.]* +BAYES_9\d+ +the classifier takes it for spam/m)
  })

  test('postern scan says the same, and which words weighed', async () => {
    const file = join(directory, 'new.eml')
    writeFileSync(file, NEW_SPAM)
    const { code, output } = await postern(stage.gateway, 'scan', file, '--ip', CLIENT.clean, '--from', 'anna@sender.example', '--rcpt', 'alice@hop.example')
    assert.equal(code, 0, output)
    assert.match(output, /BAYES_9/)
    assert.match(output, /\b(?:jackpot|pills|winner|casino|replica|mortgage|prescription)\b/, 'a word that weighed')
  })

  test('what is forgotten has no say any more; taught the other way round, the verdict turns', async () => {
    await train(/200 forgotten, 0 were never learnt[^]*knows 200 wanted and 0 unwanted/, 'forget', spam)
    await workersSay(NEW_SPAM, /^none$/)
    await stage.reload(POLICY, { spam: { shipped_rules: false, bayes: { min_messages: 20 } } })
    // 200 of the mail that was wanted becomes unwanted, and 200 of the other kind wanted.
    await train(/0 learned as spam, 0 known already, 200 moved from ham/, 'spam', ham)
    await train(/200 learned as ham/, 'ham', spam)
    await workersSay(NEW_HAM, /^BAYES_9/)
    await workersSay(NEW_SPAM, /^BAYES_00$/)
  })
})

describe('rules that change', { skip: missing('swaks') }, () => {
  let stage: Stage
  const folder = join(temporaryDirectory('rules'), 'rules')
  const rule = (id: string, score: number, pattern: string): string => `  - id: ${id}\n    score: ${score}\n    why: It has ${id}\n    when: { text: '${pattern}' }\n    hits: [one line]\n    misses: [something else]\n`
  const write = (...rules: readonly string[]): void => writeFileSync(join(folder, 'own.yaml'), `rules:\n${rules.join('')}`)
  before(async () => {
    mkdirSync(folder)
    write(rule('OWN_LINE', 2, '/one line/i'))
    stage = await startSpamStage({ spam: { shipped_rules: false, rules: [folder] } })
  })
  after(() => stage.stop())

  test('SIGHUP changes the verdict of all workers', async () => {
    await rulesRead(stage)
    const before = await sendAndTake(stage, CLIENT.clean)
    assert.deepEqual([before.spam, before.tests], [false, ['OWN_LINE']])
    write(rule('OWN_LINE', 6.5, '/one line/i'), rule('OWN_ONE', 1, '/one/i'))
    await stage.reload(POLICY)
    await rulesRead(stage, 2)
    const found = await untilEachWorker(stage, CLIENT.clean, { mail: {}, fits: ({ tests }) => tests.includes('OWN_ONE') })
    assert.deepEqual([found.spam, found.score, found.tests], [true, 7.5, ['OWN_LINE', 'OWN_ONE']])
  })

  test('a rule that cannot be used is named with its file and line, and the others stay', async () => {
    write(rule('OWN_LINE', 3, '/one line/i'), rule('OWN_BROKEN', 9, '/one (line/i'), rule('OWN_WRONG', 9, '/two lines/i'), rule('OWN_ONE', 0.5, '/one/i'))
    await stage.reload(POLICY)
    await rulesRead(stage, 3)
    const found = await untilEachWorker(stage, CLIENT.clean, { mail: {}, fits: ({ score }) => score === 3.5 })
    assert.deepEqual(found.tests, ['OWN_LINE', 'OWN_ONE'])
    const said = (id: string): string => String(stage.gateway.log().find(({ msg, rule: about }) => msg === 'a rule cannot be used' && about === id)?.['problem'])
    // In which line each stands: six lines a rule, under the first one.
    for (const [id, first] of [['OWN_BROKEN', 8], ['OWN_WRONG', 14]] as const) {
      const [, line] = new RegExp(`^${join(folder, 'own.yaml')}:(\\d+)\\b`).exec(said(id)) ?? []
      assert.ok(Number(line) >= first && Number(line) < first + 6, said(id))
    }
    const checked = await postern(stage.gateway, 'check')
    assert.match(checked.output, new RegExp(`${join(folder, 'own.yaml')}:\\d+`))
  })

  test('a file that is no YAML takes none of the others along', async () => {
    writeFileSync(join(folder, 'own.yaml'), 'rules:\n  - id: [\n')
    writeFileSync(join(folder, 'second.yaml'), `rules:\n${rule('OWN_SECOND', 1.5, '/line/i')}`)
    await stage.reload(POLICY)
    await rulesRead(stage, 4)
    assert.deepEqual((await untilEachWorker(stage, CLIENT.clean, { mail: { data: LETTER }, fits: ({ score }) => score === 1.5 })).tests, ['OWN_SECOND'])
    await until('the file is named', () => stage.gateway.log().some(({ msg, problem }) => msg === 'a rule cannot be used' && String(problem).startsWith(`${join(folder, 'own.yaml')}:`)), { detail: () => stage.gateway.output() })
  })
})
