/** `postern dkim rotate` works beside keys where others may be able to write: what they plant there is neither believed nor followed. */
import assert from 'node:assert/strict'
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { saveRotation, type Rotation } from '../../../src/cli/dkim-rotation-file.ts'
import { zoneMap } from '../../support/zone-map.ts'
import { key } from '../signing/signing-fixture.ts'
import { dkimStage, type DkimStage, type Ran } from './dkim-fixture.ts'

const NOBODY = 65_534
const needsRoot = process.geteuid?.() === 0 ? false : 'only root can give files away, and only root is asked for more than a user has'
const PLAN = 'keys/example.org.rotation.json'

interface World {
  readonly stage: DkimStage
  readonly keys: string
  rotate(): Promise<Ran>
  /** what was planned and begun, with changes */
  plant(change: (plan: Plan) => void): void
}

type Plan = { -readonly [K in keyof Rotation]: Rotation[K] } & { keys: { algorithm: string; bits: number; old: { selector: string; file: string }; next: { selector: string; file: string } }[] }

function world(): World {
  const stage = dkimStage('signing: { keys: [ { domain: example.org, selector: s1, key: keys/example.org.s1.pem } ] }\n')
  stage.put('keys/example.org.s1.pem', key('a').pem)
  const keys = join(stage.directory, 'keys')
  chmodSync(keys, 0o755)
  return {
    stage, keys,
    rotate: () => stage.run({ action: 'rotate', domain: 'example.org', wait: '0s', format: 'zone' }, { resolver: zoneMap({}) }),
    plant: (change) => {
      const plan = JSON.parse(stage.text(PLAN)) as Plan
      change(plan)
      writeFileSync(join(stage.directory, PLAN), JSON.stringify(plan))
    },
  }
}

/** Begun, and the key that was made taken away again. */
async function begun(): Promise<World> {
  const at = world()
  assert.equal((await at.rotate()).code, 75)
  rmSync(join(at.keys, 'example.org.s20261121.pem'))
  return at
}

function nextOf(plan: Plan): Plan['keys'][number] {
  const [one] = plan.keys
  if (one === undefined) throw new Error('the plan has no key')
  return one
}

test('a plan leads to no other place than beside the old key, under the name that follows from it', async () => {
  const at = await begun()
  const outside = join(at.stage.directory, 'outside')
  mkdirSync(outside)
  const changes: readonly ((plan: Plan) => void)[] = [
    (plan) => (nextOf(plan).next.file = join(outside, 'example.org.s20261121.pem')),
    (plan) => (nextOf(plan).next.file = join(at.keys, 'cronjob')),
    (plan) => (nextOf(plan).next.file = `${at.keys}/../outside/example.org.s20261121.pem`),
    (plan) => (nextOf(plan).next = { selector: '../outside/x', file: join(outside, 'x') }),
    (plan) => (nextOf(plan).next = { selector: 'evil\nselector', file: join(at.keys, 'example.org.evil\nselector.pem') }),
    (plan) => (nextOf(plan).old.file = 'example.org.s1.pem'),
    (plan) => (plan.domain = 'other.example'),
    (plan) => (plan.startedAt = 1e300),
    (plan) => (nextOf(plan).bits = 1e9),
    (plan) => Object.assign(plan, { oldMayGoAt: 'later' }),
    (plan) => Object.assign(plan, { keys: [] }),
  ]
  const before = at.stage.text(PLAN)
  for (const [index, change] of changes.entries()) {
    writeFileSync(join(at.stage.directory, PLAN), before)
    at.plant(change)
    const ran = await at.rotate()
    assert.equal(ran.code, 65, `${index}: ${ran.err}`)
    assert.match(ran.err, /rotation\.json is not what "postern dkim rotate" has written/)
  }
  assert.deepEqual(readdirSync(outside), [])
  assert.deepEqual(readdirSync(at.keys).sort(), ['example.org.rotation.json', 'example.org.s1.pem'])
})

test('a plan that others can write, a link, or no file at all is not believed', async () => {
  const at = await begun()
  const plan = join(at.stage.directory, PLAN)
  for (const mode of [0o664, 0o646]) {
    chmodSync(plan, mode)
    const ran = await at.rotate()
    assert.equal(ran.code, 65, ran.err)
    assert.match(ran.err, /rotation\.json can be written by others \(mode 06[46][46]\)/)
  }
  chmodSync(plan, 0o644)
  const text = readFileSync(plan)
  rmSync(plan)
  const elsewhere = at.stage.put('elsewhere.json', text.toString())
  symlinkSync(elsewhere, plan)
  assert.match((await at.rotate()).err, /rotation\.json is a symbolic link/)
  rmSync(plan)
  mkdirSync(plan)
  assert.match((await at.rotate()).err, /rotation\.json is no file/)
  assert.ok(!existsSync(join(at.keys, 'example.org.s20261121.pem')))
})

test('a plan of somebody else is not believed by root', { skip: needsRoot }, async () => {
  const at = await begun()
  chownSync(join(at.stage.directory, PLAN), NOBODY, NOBODY)
  const ran = await at.rotate()
  assert.equal(ran.code, 65)
  assert.match(ran.err, /rotation\.json belongs to user 65534/)
})

test('a link under the name of the next key is neither followed nor read', async () => {
  const at = await begun()
  const next = join(at.keys, 'example.org.s20261121.pem')
  for (const target of [at.stage.put('precious.pem', key('b').pem), join(at.stage.directory, 'nowhere')]) {
    symlinkSync(target, next)
    const ran = await at.rotate()
    assert.equal(ran.code, 65, ran.err)
    assert.match(ran.err, /s20261121\.pem is no regular file/)
    rmSync(next)
  }
  assert.equal(at.stage.text('precious.pem'), key('b').pem)
  assert.ok(!existsSync(join(at.stage.directory, 'nowhere')))
  rmSync(join(at.stage.directory, PLAN))
  // A dangling link takes a name too.
  symlinkSync('nowhere', next)
  assert.match((await at.rotate()).out, /^s20261121-2\._domainkey/)
  assert.ok(lstatSync(next).isSymbolicLink())
})

test('the plan is written by no name that could be foreseen, and through no link', () => {
  const { stage } = world()
  const precious = stage.put('precious', 'precious')
  const file = join(stage.directory, 'x.rotation.json')
  symlinkSync(precious, `${file}.${process.pid}.new`)
  symlinkSync(precious, file)
  saveRotation(file, { domain: 'x', source: 'list', startedAt: 1, keys: [] })
  assert.equal(stage.text('precious'), 'precious')
  assert.ok(lstatSync(file).isFile())
  assert.equal(lstatSync(file).mode & 0o777, 0o644)
  assert.deepEqual(readdirSync(stage.directory).filter((name) => name.endsWith('.new')), [`x.rotation.json.${process.pid}.new`])
})

test('root does not work where another user can write', { skip: needsRoot }, async () => {
  const at = world()
  const refused = async (why: RegExp): Promise<void> => {
    const ran = await at.rotate()
    assert.equal(ran.code, 77, ran.err)
    assert.match(ran.err, why)
    assert.deepEqual(readdirSync(at.keys), ['example.org.s1.pem'])
  }
  chownSync(at.keys, NOBODY, NOBODY)
  await refused(/keys belongs to user 65534.*sudo -u '#65534' postern dkim rotate example\.org.*chown root .*keys/s)
  chownSync(at.keys, 0, 0)
  chmodSync(at.keys, 0o775)
  await refused(/keys can be written by its group \(mode 0775, group 0\)/)
  chmodSync(at.keys, 0o1777)
  await refused(/keys can be written by every user/)
  chmodSync(at.keys, 0o755)
  chownSync(at.stage.directory, NOBODY, NOBODY)
  await refused(/postern-dkim-[^/ ]* belongs to user 65534/)
  chownSync(at.stage.directory, 0, 0)
  // The key itself may be that of the gateway's user: the next one is too.
  chownSync(join(at.keys, 'example.org.s1.pem'), NOBODY, NOBODY)
  assert.equal((await at.rotate()).code, 75)
  const made = statSync(join(at.keys, 'example.org.s20261121.pem'))
  assert.deepEqual([made.uid, made.gid, made.mode & 0o777], [NOBODY, NOBODY, 0o600])
})
