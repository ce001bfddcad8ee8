/**
 * Moving mail teaches: a Dovecot with IMAP and Sieve behind Postern, and a user
 * who sorts his mail. A gateway looks at folders when it starts and once a
 * minute, and at once after a reload, so that nobody waits for the minute here.
 */
import assert from 'node:assert/strict'
import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startDovecot, type Dovecot } from '../support/peers/dovecot.ts'
import { imap } from '../support/peers/imap.ts'
import { missing } from '../support/peers/programs.ts'
import { LETTER, type Stage } from '../support/policy-stage.ts'
import { CLIENT } from '../support/policy-zone.ts'
import { temporaryDirectory } from '../support/process.ts'
import { postern, startSpamStage, untilLooked } from '../support/spam-stage.ts'

/** What Postern has tagged, and a mailing list that the user has sorted. */
const SIEVE = `require ["fileinto"];
if header :is "X-Spam-Flag" "YES" { fileinto "Junk"; }
elsif header :contains "Subject" "choir" { fileinto "Archive"; }
`
const RULES = 'rules:\n  - id: SAYS_ZWIEBELFISCH\n    score: 6\n    why: It says Zwiebelfisch\n    when: { text: \'/\\bZwiebelfisch\\b/\' }\n    hits: [a Zwiebelfisch]\n    misses: [a fish]\n'
const HOUR_S = 3600

function letter(subject: string, text: string): string {
  return LETTER.replace('Subject: Hello', `Subject: ${subject}`).replace('<1@', `<${subject.replaceAll(' ', '.')}@`).replace('One line.', text)
}

describe('moving mail teaches', { skip: missing('swaks', 'dovecot', 'dovecot-lmtp', 'dovecot-imap', 'sievec', 'python3') }, () => {
  let stage: Stage
  let dovecot: Dovecot
  const running: { stop(): Promise<void> }[] = []
  before(async () => {
    dovecot = await startDovecot({ over: 'unix', sieve: SIEVE, imap: true })
    running.push(dovecot)
    const rules = join(temporaryDirectory('rules'), 'own.yaml')
    writeFileSync(rules, RULES)
    const all = join(dirname(dirname(dovecot.mailbox('alice').path)), '*/*')
    stage = await startSpamStage({
      hop: { lmtp: dovecot.target },
      spam: { shipped_rules: false, rules: [rules], bayes: { learn: [{ folder: `${all}/.Junk`, as: 'spam' }, { folder: `${all}/.Archive`, as: 'ham' }] } },
    })
    running.unshift(stage)
    for (const [subject, text] of [['a prize', 'You have won.'], ['a loan', 'Money for nothing.'], ['an offer', 'The word is Zwiebelfisch.'], ['a joke', 'Zwiebelfisch is a fish.'], ['choir practice', 'We sing on Tuesday.'], ['dinner', 'Come at eight.']] as const) {
      const { last, output } = await stage.swaks(CLIENT.clean, { data: letter(subject, text) })
      assert.match(last, /^250 /, output)
    }
    // Nobody moves a message in the second in which it comes: it has lain there for an hour.
    const inbox = join(dovecot.mailbox('alice').path, 'new')
    for (const name of readdirSync(inbox)) utimesSync(join(inbox, name), Date.now() / 1000 - HOUR_S, Date.now() / 1000 - HOUR_S)
  })
  after(async () => {
    for (const one of running) await one.stop()
  })

  const alice = (acts: Parameters<typeof imap>[1]): Promise<void> => imap({ port: dovecot.imapPort, user: 'alice@hop.example' }, acts)
  const counts = async (): Promise<readonly number[]> => {
    const { code, output } = await postern(stage.gateway, 'train', 'status', '--json')
    assert.equal(code, 0, output)
    const { ham, spam } = JSON.parse(output) as { readonly ham: number; readonly spam: number }
    return [ham, spam]
  }
  /** Until the next look at the folders has taught so many. */
  const learned = async (messages: number): Promise<void> => {
    const said = () => stage.gateway.log().filter(({ msg }) => msg === 'learned from folders')
    const before = said().length
    await untilLooked(stage, 'folders have taught something', () => said().length > before)
    assert.equal(said().at(-1)?.['messages'], messages)
  }

  test('what Sieve has filed by itself teaches nothing; what a user moves into Junk does, read or unread', async () => {
    const { path } = dovecot.mailbox('alice')
    assert.deepEqual([readdirSync(join(path, '.Junk/new')).length, readdirSync(join(path, '.Archive/new')).length], [2, 1])
    assert.deepEqual(await counts(), [0, 0])
    await alice([{ in: 'INBOX', subject: 'a prize', read: true, to: 'Junk' }, { in: 'INBOX', subject: 'a loan', to: 'Junk' }])
    await learned(2)
    assert.deepEqual(await counts(), [0, 2])
  })

  test('what is moved from Junk to Archive is learned anew, and what Sieve had filed there is learned as wanted then', async () => {
    // That the choir's message is read makes no lesson of it.
    await alice([{ in: 'Junk', subject: 'a prize', to: 'Archive' }, { in: 'Junk', subject: 'an offer', read: true, to: 'Archive' }, { in: 'Archive', subject: 'choir practice', read: true }, { in: 'Junk', subject: 'a joke', read: true }])
    await learned(2)
    assert.deepEqual(await counts(), [2, 1])
    await alice([{ in: 'INBOX', subject: 'dinner', read: true, to: 'Archive' }, { in: 'Archive', subject: 'an offer', to: 'Junk' }])
    await learned(2)
    assert.deepEqual(await counts(), [2, 2])
  })
})
