/**
 * What content does to mail, end to end: two workers, swaks, and a Dovecot whose
 * Sieve script sorts by our fields, as people's scripts do; thresholds of
 * domains.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { mailSamples, suitesMissing, type Sample } from '../support/mail-samples.ts'
import { startDovecot, type Dovecot } from '../support/peers/dovecot.ts'
import { Mailbox } from '../support/peers/mailbox.ts'
import { missing } from '../support/peers/programs.ts'
import { LETTER, type Stage } from '../support/policy-stage.ts'
import { CLIENT } from '../support/policy-zone.ts'
import { temporaryDirectory } from '../support/process.ts'
import { GTUBE } from '../support/spam-engines.ts'
import { postern, sendAndTake, spamStatus, startSpamStage } from '../support/spam-stage.ts'

/** Alice's scripts are of one kind, Bob's of the other. */
const SIEVE = `require ["fileinto", "envelope"];
if allof (envelope :localpart :is "to" "alice", header :is "X-Spam-Flag" "YES") { fileinto "Junk"; }
elsif allof (envelope :localpart :is "to" "bob", header :matches "X-Spam-Status" "Yes,*") { fileinto "Junk"; }
`
const SAMPLES = 16
const OFFER = LETTER.replace('One line.', 'The word is Zwiebelfisch.')
/** Six points, whatever the shipped rules think of a letter. */
const RULES = 'rules:\n  - id: SAYS_ZWIEBELFISCH\n    score: 6\n    why: It says Zwiebelfisch\n    when: { text: \'/\\bZwiebelfisch\\b/\' }\n    hits: [a Zwiebelfisch]\n    misses: [a fish]\n'

describe('verdicts', { skip: missing('swaks') }, () => {
  let stage: Stage
  before(async () => {
    const rules = join(temporaryDirectory('rules'), 'own.yaml')
    writeFileSync(rules, RULES)
    stage = await startSpamStage({ policy: { spam: { tag: 8, reject: 15 } }, spam: { rules: [rules] }, root: { domains: ['hop.example', { domain: 'strict.example', spam: { tag: 2, reject: 4 } }] } })
  })
  after(() => stage.stop())

  test('GTUBE is refused with its identity, by which postern why names the rule', async () => {
    const refused = await stage.swaks(CLIENT.clean, { data: GTUBE })
    assert.match(refused.last, /^550 5\.7\.1 Message refused: it has too many marks of spam \(\w{10}\)$/, refused.output)
    assert.equal(stage.mailbox().count, 0)
    assert.equal((await stage.decision(refused.id)).action, 'reject')
    const why = await postern(stage.gateway, 'why', refused.id)
    assert.equal(why.code, 0, why.output)
    assert.match(why.output, /^ +\+1000 +GTUBE +\S.*$/m)
  })

  test('a letter is delivered, says what counted, and is not tagged', async () => {
    const { spam, required, tests } = await sendAndTake(stage, CLIENT.clean)
    assert.deepEqual([spam, required, tests.includes('GTUBE')], [false, 8, false])
  })

  test('each domain has its own thresholds', async () => {
    const lenient = await sendAndTake(stage, CLIENT.clean, { data: OFFER })
    assert.deepEqual([lenient.spam, lenient.required, lenient.tests.includes('SAYS_ZWIEBELFISCH')], [false, 8, true])
    const strict = await stage.swaks(CLIENT.clean, { data: OFFER, to: 'bob@strict.example' })
    assert.match(strict.last, /^550 5\.7\.1 /, strict.output)
    const letter = await sendAndTake(stage, CLIENT.clean, { to: 'bob@strict.example' })
    assert.equal(letter.required, 2)
  })

  test('of two recipients with different thresholds the second is sent again, in either order', async () => {
    for (const [first, second, becomes] of [['alice@hop.example', 'bob@strict.example', /^250 /], ['bob@strict.example', 'alice@hop.example', /^550 5\.7\.1 /]] as const) {
      const { replies, output } = await stage.swaks(CLIENT.clean, { data: OFFER, to: `${first},${second}` })
      assert.ok(replies.some((reply) => reply.startsWith('451 4.5.3 ')), output)
      assert.match(replies.filter((reply) => !/^(?:221|354|451 4\.5\.3) /.test(reply)).at(-1) ?? '', becomes, output)
    }
    await stage.mailbox('alice').take(1)
    assert.deepEqual([stage.mailbox('alice').count, stage.mailbox('bob').count], [0, 0])
    // Of the same thresholds both have it.
    const both = await stage.swaks(CLIENT.clean, { to: 'alice@hop.example,carl@hop.example' })
    assert.match(both.last, /^250 /, both.output)
    await Promise.all(['alice', 'carl'].map((user) => stage.mailbox(user).take(1)))
  })
})

describe('sorted by Sieve', { skip: missing('swaks', 'dovecot', 'dovecot-lmtp', 'sievec') }, () => {
  let stage: Stage
  let dovecot: Dovecot
  const running: { stop(): Promise<void> }[] = []
  before(async () => {
    dovecot = await startDovecot({ over: 'unix', users: ['alice', 'bob'], sieve: SIEVE })
    running.push(dovecot)
    stage = await startSpamStage({ hop: { lmtp: dovecot.target } })
    running.unshift(stage)
  })
  after(async () => {
    for (const one of running) await one.stop()
  })

  const folders = (user: string): { readonly inbox: Mailbox; readonly junk: Mailbox } => {
    const inbox = dovecot.mailbox(user)
    return { inbox, junk: new Mailbox(join(inbox.path, '.Junk')) }
  }

  test('GTUBE into Junk, a letter into the inbox', async () => {
    for (const user of ['alice', 'bob']) {
      const { inbox, junk } = folders(user)
      const to = `${user}@hop.example`
      for (const data of [GTUBE, LETTER]) {
        const { last, output } = await stage.swaks(CLIENT.clean, { to, data })
        assert.match(last, /^250 /, output)
      }
      const [spam] = await junk.take(1, { detail: () => dovecot.log() })
      const found = spamStatus(spam ?? '')
      assert.ok(found.spam && found.score >= 1000 && found.tests.includes('GTUBE'), found.fields)
      assert.match(found.fields, /^X-Spam-Score: 1\d{3}\.\d+\nX-Spam-Level: \*{50,}\n/m)
      const [letter] = await inbox.take(1, { detail: () => dovecot.log() })
      const wanted = spamStatus(letter ?? '')
      assert.ok(!wanted.spam && wanted.score < 5, wanted.fields)
      assert.equal(junk.count, 0)
    }
  })

  test('messages of the suites: each where its tag says, and most where they belong', { skip: suitesMissing('mail') }, async () => {
    const { inbox, junk } = folders('alice')
    const tagged = new Map<string, boolean>()
    const sendAll = async (samples: readonly Sample[]): Promise<number> => {
      let unwanted = 0
      const dialog = await stage.dialog(CLIENT.clean)
      await dialog.hello('mail.sender.example')
      for (const { name, sent } of samples) {
        const reply = await dialog.message({ from: 'anna@sender.example', to: 'alice@hop.example', data: sent })
        assert.equal(reply.status, 250, `${name}: ${reply.text}`)
        await junk.waitFor(1 - inbox.count)
        const [message] = [...junk.read(), ...inbox.read()]
        const { spam } = spamStatus(message ?? '')
        assert.deepEqual([junk.count, inbox.count], spam ? [1, 0] : [0, 1], name)
        tagged.set(name, spam)
        if (spam) unwanted++
        await (spam ? junk : inbox).take(1)
      }
      await dialog.quit()
      return unwanted
    }
    const samples = mailSamples()
    const kind = (folder: string): readonly Sample[] => samples.filter(({ name }) => new RegExp(`/${folder}/0\\d\\d$`).test(name)).slice(0, SAMPLES)
    const [spam, nice] = [await sendAll(kind('spam')), await sendAll(kind('nice'))]
    const shown = [...tagged].map(([name, one]) => `${name}: ${one}`).join('\n')
    // Rules alone, of the text alone: the client and its proofs are a stranger's to these old messages.
    assert.ok(spam >= SAMPLES / 4, shown)
    assert.ok(nice <= 1, shown)
  })
})
