/** Rules read in a process of their own, and without it where it breaks. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { packRules, unpackRules } from '../../../src/scoring/packed-rules.ts'
import { RuleReader } from '../../../src/scoring/rule-reader.ts'
import { readTask, type RulesReading, type RulesTask } from '../../../src/scoring/rules-task.ts'
import { READING_MS, WANTED_RULES_MS } from '../../../src/scoring/rules-times.ts'
import { ShippedRulesUnread } from '../../../src/scoring/unread-rules.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { fakeLog } from '../supervisor/fakes.ts'

// A process that reads rules does not keep a process alive that has nothing else to do.
let busy: NodeJS.Timeout | undefined
before(() => {
  busy = setInterval(() => undefined, 1000)
})
after(() => clearInterval(busy))

const rule = (id: string, misses = 'A price'): string => `  - id: ${id}
    score: 1
    why: The test wants a rule of this name
    when: { subject: '/prize/i' }
    hits: [{ subject: A prize }]
    misses: [{ subject: ${misses} }]
`

function site(): { readonly file: string; readonly settings: Parameters<RuleReader['read']>[0] } {
  const file = join(temporaryDirectory('rule-reader'), 'site.yaml')
  writeFileSync(file, `rules:\n${rule('GOOD')}${rule('BAD', 'Surprize')}`)
  return { file, settings: { shipped: false, paths: [file], scores: new Map([['GOOD', 3]]), spamassassin: [] } }
}

test('they are read as they stand in the files now, and what cannot be used is told once a reading', async () => {
  const { file, settings } = site()
  const { log, lines } = fakeLog()
  const reader = new RuleReader({ log })
  const { packed } = await reader.read(settings)
  assert.deepEqual((await unpackRules(packed)).rules.map(({ id, score }) => [id, score]), [['GOOD', 3]])
  assert.equal(packed.problems, 1)
  assert.deepEqual(lines.map(({ level, text, facts }) => [level, text, facts['rule']]), [['warn', 'a rule cannot be used', 'BAD']])
  // The same files: what failed then is out again, and told again.
  assert.deepEqual((await unpackRules((await reader.read(settings)).packed)).rules.map(({ id }) => id), ['GOOD'])
  assert.equal(lines.length, 2)
  writeFileSync(file, `rules:\n${rule('GOOD')}${rule('BETTER')}`)
  assert.deepEqual((await unpackRules((await reader.read(settings)).packed)).rules.map(({ id }) => id), ['GOOD', 'BETTER'])
  assert.equal(lines.length, 2)
})

test('where the process breaks, or ends without a word, they are read without it and the log says why', async () => {
  const { settings } = site()
  const directory = temporaryDirectory('rule-process')
  const programs = [
    ['fails', 'process.once("message", () => process.send({ status: "failed", cause: "out of luck" }, () => process.exit()))', /^out of luck$/],
    ['is ended', 'process.kill(process.pid, "SIGTERM")', /^it was ended by SIGTERM$/],
    ['throws', 'throw new Error("out of luck")', /^it ended without an answer, with exit code 1; the last of what it wrote: file:\S+:1 \/ throw new Error\("out of luck"\) \/ Error: out of luck \/ at /],
    ['ends', '', /^it ended without an answer, with exit code 0$/],
  ] as const
  for (const [name, text, cause] of programs) {
    const file = join(directory, `${name}.mjs`)
    writeFileSync(file, text)
    const { log, lines } = fakeLog()
    const reader = new RuleReader({ log, program: file })
    const { packed } = await reader.read(settings)
    assert.deepEqual((await unpackRules(packed)).rules.map(({ id }) => id), ['GOOD'], name)
    assert.deepEqual(lines.map((line) => line.text), ['the process that reads rules has failed; they are read without it', 'a rule cannot be used'], name)
    assert.match(String(lines[0]?.facts['cause']), cause)
  }
})

test('where there are none in use yet they may cost twice as much', async () => {
  const { settings } = site()
  const file = join(temporaryDirectory('rule-process'), 'fails.mjs')
  writeFileSync(file, '')
  const most: (number | undefined)[] = []
  const here = (task: RulesTask): Promise<RulesReading> => {
    most.push(task.most?.ms)
    return readTask(task)
  }
  const reader = new RuleReader({ log: fakeLog().log, program: file, here })
  const { packed: inUse } = await reader.read(settings)
  await reader.read(settings, inUse)
  // Those that come with Postern are used alone: the site's wait for their start.
  await reader.read(settings, { ...inUse, instead: true })
  assert.deepEqual(most, [12_000, 6000, 12_000])
})

test('what took too long or too much memory is not tried at once: the rules that come with Postern are used alone', async () => {
  const { settings } = site()
  const directory = temporaryDirectory('rule-process')
  let told: readonly string[] = []
  const programs = [
    ['hangs', 'setInterval(() => undefined, 1000)', /^it took longer than 300 ms$/, true],
    ['grows', 'process.kill(process.pid, "SIGABRT")', /^it was ended by SIGABRT, as where there is no more memory \(its heap may take 64 MB\)$/, true],
    ['eats', 'const all = []; for (;;) all.push(new Array(1e6).fill(1.5))', /^it was ended by SIG(?:ABRT|TRAP), .*; the last of what it wrote: .*FATAL ERROR: .*memory[^/]*$/, false],
    ['finds them too dear', 'process.once("message", () => process.send({ status: "useless", cause: "ready for use they take too much", mayPass: false, dearest: "the dearest: BIG" }, () => process.exit()))', /^ready for use they take too much$/, false],
    ['is killed', 'process.kill(process.pid, "SIGKILL")', /^it was ended by SIGKILL/, true],
  ] as const
  for (const [name, text, cause, passes] of programs) {
    const file = join(directory, `${name}.mjs`)
    writeFileSync(file, text)
    const { log, lines } = fakeLog()
    const tasks: RulesTask[] = []
    const packed = packRules({ rules: [], problems: [], notes: [] })
    const here = (task: RulesTask): Promise<RulesReading> => {
      tasks.push(task)
      return Promise.resolve({ packed, rules: 0, problems: [], notes: [], unread: [], proof: { digest: '', failures: [] }, cost: undefined })
    }
    const reader = new RuleReader({ log, here, program: file, memoryMb: 64, ...(name === 'hangs' && { timeoutMs: 300 }) })
    const read = await reader.read({ ...settings, shipped: true, spamassassin: ['/etc/some.cf'] })
    assert.deepEqual(read.packed, { ...packed, instead: true })
    assert.equal(read.again !== undefined, passes, name)
    assert.deepEqual(tasks.map(({ settings: { shipped, paths, spamassassin } }) => [shipped, paths, spamassassin]), [[true, [], []]])
    assert.deepEqual(lines.map(({ level, text: said }) => [level, said]), [['error', `the rules of this site cannot be read; those that come with Postern are used alone; ${passes ? 'it is tried again' : 'reload after mending them'}`]])
    assert.match(String(lines[0]?.facts['cause']), cause)
    assert.equal(lines[0]?.facts['dearest'], name === 'finds them too dear' ? 'the dearest: BIG' : undefined)
    // Nor does the log speak of rules that nobody wants.
    if (name === 'is killed') await reader.read(settings)
    told = lines.map(({ text: said }) => said)
  }
  assert.equal(told.at(-1), 'the rules of this site cannot be read; those that come with Postern are not wanted (shipped_rules), and none are used; it is tried again')
})

test('where rules are in use already, they stay: what comes with Postern does not take their place', async () => {
  const { settings } = site()
  const file = join(temporaryDirectory('rule-process'), 'killed.mjs')
  writeFileSync(file, 'process.kill(process.pid, "SIGKILL")')
  const { log, lines } = fakeLog()
  const inUse = packRules({ rules: [], problems: [], notes: [] })
  const reader = new RuleReader({ log, program: file, here: () => Promise.reject(new Error('nothing more is risked')) })
  assert.equal((await reader.read(settings, inUse)).packed, inUse)
  assert.deepEqual(lines.map(({ level, text }) => [level, text]), [['error', 'the rules could not be read anew; those in use stay; it is tried again']])
  assert.match(String(lines[0]?.facts['cause']), /^it was ended by SIGKILL/)
  // Nor where the process broke for another reason, and this one has no time for them.
  writeFileSync(file, 'throw new Error("out of luck")')
  const slow = new RuleReader({ log, program: file, timeoutMs: 300, here: () => new Promise<never>(() => undefined) })
  assert.equal((await slow.read(settings, inUse)).packed, inUse)
  assert.deepEqual(lines.slice(1).map(({ level }) => level), ['warn', 'error'])
})

test('where those that come with Postern cannot be read, those in use stay; where there are none, there are none yet', async () => {
  const { settings } = site()
  const file = join(temporaryDirectory('rule-process'), 'unread.mjs')
  writeFileSync(file, 'process.once("message", () => process.send({ status: "unread", cause: "EMFILE: too many open files" }, () => process.exit()))')
  const { log, lines } = fakeLog()
  const reader = new RuleReader({ log, program: file, here: () => Promise.reject(new Error('it is not tried here')) })
  const inUse = packRules({ rules: [], problems: [], notes: [] })
  assert.equal((await reader.read(settings, inUse)).packed, inUse)
  assert.deepEqual(lines.map(({ level, text, facts }) => [level, text, facts['cause']]), [['error', 'the rules could not be read anew; those in use stay; it is tried again', 'EMFILE: too many open files']])
  // Whoever asked tells it, and tries again.
  await assert.rejects(reader.read(settings), /^ShippedRulesUnread: EMFILE/)
  assert.equal(lines.length, 1)
  // As well where this process has to read them.
  writeFileSync(file, 'throw new Error("out of luck")')
  const alone = new RuleReader({ log, program: file, here: () => Promise.reject(new ShippedRulesUnread('EMFILE: too many open files')) })
  assert.equal((await alone.read(settings, inUse)).packed, inUse)
  await assert.rejects(alone.read(settings), /EMFILE/)
})

test('a reading always ends, whatever hangs, and within its time, however many tries there are: whoever waits for it counts on that', async (t) => {
  const { settings } = site()
  const file = join(temporaryDirectory('rule-process'), 'p.mjs')
  for (const [text, tries] of [['setInterval(() => undefined, 1000)', 1], ['throw new Error("out of luck")', 2]] as const) {
    writeFileSync(file, text)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { log, lines } = fakeLog()
    const hanging: (() => void)[] = []
    const hang = (): Promise<never> => new Promise<never>(() => hanging.shift()?.())
    const next = (): Promise<void> => new Promise((resolve) => hanging.push(resolve))
    const reader = new RuleReader({ log, program: file, here: hang })
    const begun = next()
    const over = assert.rejects(reader.read(settings), /longer than/)
    if (tries === 2) await begun
    const last = tries === 2 ? next() : begun
    t.mock.timers.tick(WANTED_RULES_MS)
    await last
    t.mock.timers.tick(READING_MS - WANTED_RULES_MS)
    await over
    assert.deepEqual(lines.map(({ level }) => level), tries === 2 ? ['warn', 'error'] : ['error'])
    t.mock.timers.reset()
  }
})

test("a file of the site's that the system cannot read may be readable later; what somebody has to mend is not tried again", async () => {
  const { file, settings } = site()
  const { log } = fakeLog()
  const reader = new RuleReader({ log })
  assert.equal((await reader.read(settings)).again, undefined)
  const missing = join(temporaryDirectory('rule-reader'), 'none')
  assert.match((await reader.read({ ...settings, paths: [file, missing] })).again ?? '', /none: cannot be read: ENOENT/)
  assert.match((await reader.read({ ...settings, spamassassin: [missing] })).again ?? '', /none: cannot be read: ENOENT/)
  // No plain file, and one that is not YAML.
  writeFileSync(file, 'rules: [\n')
  assert.equal((await reader.read({ ...settings, paths: [file, '/dev/null'], spamassassin: ['/dev/null'] })).again, undefined)
})

test('once it is closed nothing is read, and what is under way ends', async () => {
  const { log, lines } = fakeLog()
  const reader = new RuleReader({ log })
  const reading = reader.read(site().settings)
  reader.close()
  await assert.rejects(reading, /closed while rules were read/)
  await assert.rejects(reader.read(site().settings), /not read any more/)
  assert.deepEqual(lines, [])
})
