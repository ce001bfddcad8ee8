/** Folders that teach: what users put there is learned once, what came there by itself is not, and a move teaches the other class. */
import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { TeachingFolders, type TeachingBounds } from '../../../src/scoring/teaching-folders.ts'
import { Learner } from '../../../src/spam/bayes/learner.ts'
import { TOKENS_VERSION, type BayesStore } from '../../../src/spam/bayes/store.ts'
import { BayesDatabase } from '../../../src/state/bayes-database.ts'
import { openDatabase } from '../../../src/state/database.ts'
import { Lease } from '../../../src/state/lease.ts'
import { WatchedMail } from '../../../src/state/watched-mail.ts'
import { temporaryDirectory } from '../../support/process.ts'

function place(t: TestContext, bounds?: TeachingBounds) {
  const directory = temporaryDirectory('teaching')
  const store = new BayesDatabase(directory, { tokensVersion: TOKENS_VERSION })
  const database = openDatabase(directory)
  t.after(() => {
    store.close()
    database.close()
  })
  const clock = { nowMs: Date.UTC(2026, 10, 21) }
  const warnings: string[] = []
  const log = { debug: () => undefined, info: () => undefined, warn: (_: unknown, text: string) => void warnings.push(text), error: () => undefined }
  const watched = new WatchedMail(database)
  const make = (holder: string, into: BayesStore = store, seen: WatchedMail = watched) => new TeachingFolders({
    log, hostname: 'mx.example', now: () => clock.nowMs, watched: seen, lease: new Lease(database, { name: 'teaching', holder }),
    learner: new Learner({ store: into, directory, tokens: { ownHosts: new Set() }, now: () => clock.nowMs }),
  }, bounds)
  const mail = join(directory, 'mail')
  const folder = (user: string, name: string): string => {
    const path = join(mail, user, name)
    for (const sub of ['cur', 'new', 'tmp']) mkdirSync(join(path, sub), { recursive: true })
    return path
  }
  const write = (path: string, text: string): void => writeFileSync(path, `From: a@b.example\nMessage-ID: <${text.replaceAll(' ', '.')}@b.example>\nSubject: ${text}\n\n${text} is what this is about\n`)
  return { store, database, watched, directory, clock, warnings, make, mail, folder, write, counts: async () => { const { ham, spam } = await store.counts(); return { ham, spam } } }
}

test('each message once, in every user\'s folder; a message that is moved is learned as the other', async (t) => {
  const { make, mail, folder, write, counts } = place(t)
  const [junk, archive] = [folder('anna', '.Junk'), folder('anna', '.Archive')]
  const other = folder('bob', '.Junk')
  const learn = [{ folder: join(mail, '*', '.Junk'), as: 'spam' }, { folder: join(mail, '*', '.Archive'), as: 'ham' }] as const
  write(join(junk, 'cur', '1.M1.host:2,S'), 'buy now')
  write(join(other, 'cur', '2.M2.host:2,S'), 'cheap watches')
  write(join(archive, 'cur', '3.M3.host:2,RS'), 'minutes of our meeting')
  const teaching = make('one')
  assert.deepEqual(await teaching.round(learn), { learned: 3, more: false })
  assert.deepEqual(await counts(), { ham: 1, spam: 2 })
  assert.deepEqual(await teaching.round(learn), { learned: 0, more: false })
  // Flags are no other message; another folder of the other kind is another lesson.
  renameSync(join(junk, 'cur', '1.M1.host:2,S'), join(archive, 'cur', '1.M1.host:2,FS'))
  renameSync(join(archive, 'cur', '3.M3.host:2,RS'), join(archive, 'cur', '3.M3.host:2,FRS'))
  assert.deepEqual(await teaching.round(learn), { learned: 1, more: false })
  assert.deepEqual(await counts(), { ham: 2, spam: 1 })
})

test('what came into the folder by itself teaches nothing, nor does what Postern has tagged', async (t) => {
  const { make, folder, write, counts } = place(t)
  const junk = folder('anna', '.Junk')
  const learn = [{ folder: junk, as: 'spam' }] as const
  write(join(junk, 'new', '1.M1.host'), 'filed by a filter')
  const teaching = make('one')
  assert.deepEqual(await teaching.round(learn), { learned: 0, more: false })
  renameSync(join(junk, 'new', '1.M1.host'), join(junk, 'cur', '1.M1.host:2,S'))
  writeFileSync(join(junk, 'cur', '2.M2.host:2,S'), 'Received: by store.example\nX-Spam-Flag: YES\nAuthentication-Results: mx.example;\n spf=none\nReceived: by mx.example\nFrom: a@b.example\n\ntagged\n')
  assert.deepEqual(await teaching.round(learn), { learned: 0, more: false })
  assert.deepEqual(await counts(), { ham: 0, spam: 0 })
  // A sender cannot keep his mail from being learned by tagging it himself.
  writeFileSync(join(junk, 'cur', '3.M3.host:2,S'), 'Authentication-Results: mx.example;\n spf=none\nReceived: by mx.example\nX-Spam-Flag: YES\nFrom: a@b.example\n\ntagged by himself\n')
  assert.deepEqual(await teaching.round(learn), { learned: 1, more: false })
})

test('an unread message that was moved lies in new as well, and its times tell', async (t) => {
  const { make, folder, write, counts } = place(t)
  const [junk, archive] = [folder('anna', '.Junk'), folder('anna', '.Archive')]
  const learn = [{ folder: junk, as: 'spam' }, { folder: archive, as: 'ham' }] as const
  // A server links it to where it is moved to: written an hour ago, and put here now.
  const age = (file: string): void => utimesSync(file, Date.now() / 1000 - 3600, Date.now() / 1000 - 3600)
  write(join(junk, 'new', '1.M1.host'), 'moved unread')
  age(join(junk, 'new', '1.M1.host'))
  write(join(junk, 'new', '2.M2.host'), 'filed by a filter')
  const teaching = make('one')
  assert.deepEqual(await teaching.round(learn), { learned: 1, more: false })
  assert.deepEqual(await counts(), { ham: 0, spam: 1 })
  // It is read, and no other message for that.
  renameSync(join(junk, 'new', '1.M1.host'), join(junk, 'cur', '1.M1.host:2,S'))
  assert.deepEqual(await teaching.round(learn), { learned: 0, more: false })
  // What a filter has filed is taken out of there, unread.
  renameSync(join(junk, 'new', '2.M2.host'), join(archive, 'new', '2.M2.host'))
  age(join(archive, 'new', '2.M2.host'))
  assert.deepEqual(await teaching.round(learn), { learned: 1, more: false })
  assert.deepEqual(await counts(), { ham: 1, spam: 1 })
})

test('what has come by itself teaches nothing as long as it stays, however long that is', async (t) => {
  const { make, folder, write, counts, clock } = place(t)
  const junk = folder('anna', '.Junk')
  const learn = [{ folder: junk, as: 'spam' }] as const
  write(join(junk, 'new', '1.M1.host'), 'filed by a filter')
  const teaching = make('one')
  await teaching.round(learn)
  renameSync(join(junk, 'new', '1.M1.host'), join(junk, 'cur', '1.M1.host:2,S'))
  for (let days = 0; days < 100; days += 5) {
    assert.deepEqual(await teaching.round(learn), { learned: 0, more: false }, `after ${days} days`)
    clock.nowMs += 5 * 86_400_000
  }
  assert.deepEqual(await counts(), { ham: 0, spam: 0 })
})

test('what took seconds from its last byte to its place has come by itself', async (t) => {
  const { make, folder, write, counts } = place(t)
  const junk = folder('anna', '.Junk')
  const file = join(junk, 'new', '1.M1.host')
  write(file, 'filed on a busy disk')
  // Two seconds, whatever the machine is at.
  do utimesSync(file, new Date(), new Date(Date.now() - 2000))
  while (statSync(file).ctimeMs - statSync(file).mtimeMs > 4500)
  assert.deepEqual(await make('one').round([{ folder: junk, as: 'spam' }]), { learned: 0, more: false })
  assert.deepEqual(await counts(), { ham: 0, spam: 0 })
})

test('a message that Postern has tagged, and that its user has taught to be wanted, is learned as spam where he changes his mind', async (t) => {
  const { make, folder, counts } = place(t)
  const [junk, archive] = [folder('anna', '.Junk'), folder('anna', '.Archive')]
  const learn = [{ folder: junk, as: 'spam' }, { folder: archive, as: 'ham' }] as const
  const text = 'X-Spam-Flag: YES\nAuthentication-Results: mx.example;\n spf=none\nReceived: by mx.example\nFrom: a@b.example\n\ntagged, and moved to and fro\n'
  const [here, there] = [join(junk, 'cur', '1.M1.host:2,S'), join(archive, 'cur', '1.M1.host:2,S')]
  writeFileSync(here, text)
  const teaching = make('one')
  const rounds: (number | undefined)[] = [(await teaching.round(learn))?.learned]
  for (const [from, to] of [[here, there], [there, here]] as const) {
    renameSync(from, to)
    rounds.push((await teaching.round(learn))?.learned)
  }
  assert.deepEqual(rounds, [0, 1, 1])
  assert.deepEqual(await counts(), { ham: 0, spam: 1 })
})

test('who stops gives up its turn', async (t) => {
  const { make, folder, write } = place(t)
  const junk = folder('anna', '.Junk')
  const learn = [{ folder: junk, as: 'spam' }] as const
  const [one, other] = [make('one'), make('other')]
  assert.deepEqual(await one.round(learn), { learned: 0, more: false })
  assert.equal(await other.round(learn), undefined)
  other.stop()
  one.stop()
  write(join(junk, 'cur', '1.M1.host:2,S'), 'buy now')
  assert.deepEqual(await make('a third').round(learn), { learned: 1, more: false })
})

test('no symbolic link is followed, nothing too large is read, and a folder that is not there is no trouble', async (t) => {
  const { make, folder, directory, counts, warnings } = place(t, { folders: 10, names: 100, messages: 100, bytes: 1000 })
  const junk = folder('anna', '.Junk')
  writeFileSync(join(directory, 'secret'), 'From: a@b.example\n\nsecret\n')
  symlinkSync(join(directory, 'secret'), join(junk, 'cur', '1.M1.host:2,S'))
  writeFileSync(join(junk, 'cur', '2.M2.host:2,S'), `From: a@b.example\n\n${'x'.repeat(2000)}\n`)
  mkdirSync(join(junk, 'cur', '3.M3.host:2,S'))
  assert.deepEqual(await make('one').round([{ folder: junk, as: 'spam' }, { folder: join(directory, 'nowhere/*/.Junk'), as: 'spam' }, { folder: join(directory, 'none'), as: 'ham' }]), { learned: 0, more: false })
  assert.deepEqual(await counts(), { ham: 0, spam: 0 })
  assert.ok(warnings.length <= 1)
})

test('one process does it for all, until its lease runs out', async (t) => {
  const { make, clock } = place(t)
  const [one, other] = [make('one'), make('other')]
  assert.deepEqual(await one.round([]), { learned: 0, more: false })
  assert.equal(await other.round([]), undefined)
  clock.nowMs += 600_000
  assert.deepEqual(await other.round([]), { learned: 0, more: false })
  assert.equal(await one.round([]), undefined)
})

test('a round reads so many messages, and the next goes on', async (t) => {
  const { make, folder, write, counts } = place(t, { folders: 10, names: 100, messages: 2, bytes: 100_000 })
  const junk = folder('anna', '.Junk')
  for (let n = 0; n < 5; n++) write(join(junk, 'cur', `${n}.M${n}.host:2,S`), `offer number ${n}`)
  const teaching = make('one')
  const learn = [{ folder: junk, as: 'spam' }] as const
  assert.deepEqual([await teaching.round(learn), await teaching.round(learn), await teaching.round(learn)], [{ learned: 2, more: true }, { learned: 2, more: true }, { learned: 1, more: false }])
  assert.deepEqual(await counts(), { ham: 0, spam: 5 })
})

test('files that are gone are forgotten after a month, those that are there are not', async (t) => {
  const { make, folder, write, clock, counts } = place(t)
  const junk = folder('anna', '.Junk')
  write(join(junk, 'cur', '1.M1.host:2,S'), 'still there')
  const learn = [{ folder: junk, as: 'spam' }] as const
  const teaching = make('one')
  for (let day = 0; day < 60; day += 6) {
    await teaching.round(learn)
    clock.nowMs += 6 * 86_400_000
  }
  assert.deepEqual(await counts(), { ham: 0, spam: 1 })
  assert.deepEqual(await teaching.round(learn), { learned: 0, more: false })
})

test('where nothing can be learned a round ends with the cause, and the next one loses no message', async (t) => {
  const { store, make, folder, write, counts, warnings } = place(t)
  const junk = folder('anna', '.Junk')
  for (let n = 0; n < 3; n++) write(join(junk, 'cur', `${n}.M${n}.host:2,S`), `offer number ${n}`)
  let left = 1
  const failing: BayesStore = {
    learn: (message, as) => (left-- > 0 ? store.learn(message, as) : Promise.reject(new Error('the store is away'))),
    forget: (message) => store.forget(message), counts: () => store.counts(), progress: () => store.progress(), maintain: (day) => store.maintain(day), tokens: () => store.tokens(), kept: () => store.kept(), close: () => undefined,
  }
  const teaching = make('one', failing)
  const learn = [{ folder: junk, as: 'spam' }] as const
  await assert.rejects(teaching.round(learn), /^Error: the store is away$/)
  assert.deepEqual([await counts(), warnings], [{ ham: 0, spam: 1 }, []])
  left = Infinity
  assert.deepEqual(await teaching.round(learn), { learned: 2, more: false })
  assert.deepEqual(await counts(), { ham: 0, spam: 3 })
})

test('a user cannot make another\'s folder his own: no symbolic link is followed on the way to it', async (t) => {
  const { make, mail, folder, directory, write, counts, warnings } = place(t)
  const victim = folder('victim', '.Archive')
  write(join(victim, 'cur', '1.M1.host:2,S'), 'a letter of love')
  // His whole folder; its cur alone; and the folder that is named itself.
  mkdirSync(join(mail, 'mallory'))
  symlinkSync(victim, join(mail, 'mallory', '.Junk'))
  const half = folder('trent', '.Junk')
  for (const sub of ['cur', 'new']) {
    rmSync(join(half, sub), { recursive: true })
    symlinkSync(join(victim, 'cur'), join(half, sub))
  }
  const teaching = make('one')
  for (const path of [join(mail, '*', '.Junk'), join(mail, 'mallory', '.Junk'), join(mail, '*', '.Junk', '*')]) assert.deepEqual(await teaching.round([{ folder: path, as: 'spam' }]), { learned: 0, more: false }, path)
  assert.deepEqual(await counts(), { ham: 0, spam: 0 })
  assert.ok(warnings.includes('a folder that teaches is a symbolic link or no folder, and is passed over'), warnings.join(', '))
  // Who runs Postern may have put the mail elsewhere.
  symlinkSync(mail, join(directory, 'elsewhere'))
  assert.deepEqual(await teaching.round([{ folder: join(directory, 'elsewhere', '*', '.Archive'), as: 'ham' }]), { learned: 1, more: false })
})

test('a folder in which nothing has happened is not read again, but now and then', async (t) => {
  const { make, folder, write, watched, clock } = place(t)
  const junk = folder('anna', '.Junk')
  write(join(junk, 'cur', '1.M1.host:2,S'), 'buy now')
  const old = clock.nowMs / 1000 - 3600
  for (const sub of ['cur', 'new']) utimesSync(join(junk, sub), old, old)
  let asked = 0
  const find = watched.find.bind(watched)
  watched.find = (...which) => {
    asked++
    return find(...which)
  }
  const teaching = make('one')
  const learn = [{ folder: junk, as: 'spam' }] as const
  const rounds: unknown[] = []
  const round = async (): Promise<void> => void rounds.push([(await teaching.round(learn))?.learned, asked])
  await round()
  await round()
  write(join(junk, 'cur', '2.M2.host:2,S'), 'cheap watches')
  utimesSync(join(junk, 'cur'), old + 1, old + 1)
  await round()
  await round()
  clock.nowMs += 11 * 86_400_000
  await round()
  assert.deepEqual(rounds, [[1, 1], [0, 1], [1, 3], [0, 3], [0, 5]])
})

test('a folder that has changed just now, or where something could not be read, is read again', async (t) => {
  const { make, folder, write, clock, counts } = place(t, { folders: 10, names: 100, messages: 2, bytes: 100_000 })
  const junk = folder('anna', '.Junk')
  const learn = [{ folder: junk, as: 'spam' }] as const
  const at = (ms: number): void => {
    for (const sub of ['cur', 'new']) utimesSync(join(junk, sub), ms / 1000, ms / 1000)
  }
  const teaching = make('one')
  at(clock.nowMs)
  assert.equal((await teaching.round(learn))?.learned, 0)
  // Within the same tick of the file system's clock.
  write(join(junk, 'cur', '1.M1.host:2,S'), 'buy now')
  at(clock.nowMs)
  assert.equal((await teaching.round(learn))?.learned, 1)
  // More than one round reads.
  for (let n = 2; n < 6; n++) write(join(junk, 'cur', `${n}.M${n}.host:2,S`), `offer number ${n}`)
  at(clock.nowMs - 3_600_000)
  for (let round = 0; round < 2; round++) await teaching.round(learn)
  assert.deepEqual(await counts(), { ham: 0, spam: 5 })
})

test('a big folder gives others their turn, and its lease is renewed meanwhile', async (t) => {
  const { make, folder, clock, database } = place(t)
  const junk = folder('anna', '.Junk')
  for (let n = 0; n < 3000; n++) writeFileSync(join(junk, 'new', `${n}.M${n}.host`), '')
  const teaching = make('one')
  let turns = 0
  const ended = { so: false }
  const others = (async () => {
    while (!ended.so) {
      await new Promise((resolve) => setImmediate(resolve))
      turns++
      clock.nowMs += 60_000
    }
  })()
  const began = clock.nowMs
  assert.deepEqual(await teaching.round([{ folder: junk, as: 'spam' }]), { learned: 0, more: false })
  ended.so = true
  await others
  assert.ok(turns > 15, String(turns))
  const until = Number(database.prepare("SELECT until FROM leases WHERE name = 'teaching'").get()?.['until'])
  assert.ok(until > began + 600_000, `${(until - began) / 1000} s`)
  assert.equal(database.prepare('SELECT count(*) AS n FROM watched_mail').get()?.['n'], 3000)
})

test('where more files were seen than may be remembered, nothing more is learned, and nothing twice', async (t) => {
  const { make, folder, write, counts, warnings, database, store } = place(t)
  const junk = folder('anna', '.Junk')
  const teaching = make('one', store, new WatchedMail(database, 3))
  const learn = [{ folder: junk, as: 'spam' }] as const
  for (let n = 0; n < 3; n++) write(join(junk, 'cur', `${n}.M${n}.host:2,S`), `offer number ${n}`)
  await teaching.round(learn)
  write(join(junk, 'cur', '4.M4.host:2,S'), 'one more')
  for (let round = 0; round < 2; round++) await teaching.round(learn)
  assert.deepEqual([await counts(), warnings], [{ ham: 0, spam: 3 }, ['folders that teach hold too many messages']])
})
