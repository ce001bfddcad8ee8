/** Work with the rights of another user: each of them is taken, and given back; where root may not, nothing is left changed. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { asUser, processRights, type Rights } from '../../../src/cli/as-user.ts'
import { checkServiceUser } from '../../../src/cli/check-service-user.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { TEST_MACHINE } from '../../support/settings.ts'

const IDS = { uid: 4711, gid: 4712 }
const ROOT = { user: 0, group: 0, groups: [0, 5] as readonly number[] }

type Step = 'takeGroupsOf' | 'setGroup' | 'setUser'

function refusal(code: string): Error {
  return Object.assign(new Error(`${code}, not permitted`), { code })
}

/** @param refused what the kernel does not allow, and with which code */
function pretended({ refused, code = 'EPERM' }: { readonly refused?: Step; readonly code?: string } = {}): { readonly rights: Rights; readonly has: () => typeof ROOT } {
  let now = ROOT
  const allowed = (step: Step | 'setGroups', then: typeof ROOT): void => {
    if (step === refused || (step === 'setGroups' && refused === 'takeGroupsOf')) throw refusal(code)
    // Groups are set by root alone.
    if (step !== 'setUser' && now.user !== 0) throw refusal('EPERM')
    now = then
  }
  const rights: Rights = {
    user: () => now.user, group: () => now.group, groups: () => now.groups,
    takeGroupsOf: ({ gid }) => {
      allowed('takeGroupsOf', { ...now, groups: [gid, 99] })
    },
    setGroups: (groups) => {
      allowed('setGroups', { ...now, groups })
    },
    setGroup: (group) => {
      allowed('setGroup', { ...now, group })
    },
    setUser: (user) => {
      allowed('setUser', { ...now, user })
    },
  }
  return { rights, has: () => now }
}

test('the work has user, group and groups of the other; behind it all is as before, where it fails too', async () => {
  const { rights, has } = pretended()
  assert.deepEqual(await asUser(IDS, () => Promise.resolve(has()), rights), { status: 'done', result: { user: 4711, group: 4712, groups: [4712, 99] } })
  assert.deepEqual(has(), ROOT)
  await assert.rejects(asUser(IDS, () => Promise.reject(new Error('broken')), rights), /broken/)
  assert.deepEqual(has(), ROOT)
})

test('the rights of the process itself', { skip: processRights.user() === 0 ? false : 'only root can take those of others' }, async () => {
  const now = (): unknown => ({ user: processRights.user(), group: processRights.group(), groups: processRights.groups() })
  const before = now()
  const groups = processRights.groups()
  // Others than any account is in, so that it is seen whether they are gone, and come back.
  processRights.setGroups([0, 4713])
  try {
    const mine = now()
    assert.deepEqual(await asUser(IDS, () => Promise.resolve(now()), processRights), { status: 'done', result: { user: 4711, group: 4712, groups: [4712] } })
    assert.deepEqual(now(), mine)
  } finally {
    processRights.setGroups(groups)
  }
  assert.deepEqual(now(), before)
})

test('where one of them cannot be taken, nothing is done and nothing stays changed', async () => {
  for (const refused of ['takeGroupsOf', 'setGroup', 'setUser'] as const) {
    for (const code of ['EPERM', 'EINVAL']) {
      const { rights, has } = pretended({ refused, code })
      assert.deepEqual(await asUser(IDS, () => Promise.reject(new Error('not to be done')), rights), { status: 'not-allowed', cause: `${code}, not permitted` })
      assert.deepEqual(has(), ROOT)
    }
    const broken = pretended({ refused, code: 'EIO' })
    await assert.rejects(asUser(IDS, () => Promise.resolve(), broken.rights), /EIO/)
    assert.deepEqual(broken.has(), ROOT)
  }
})

test('check says as whom it did not look', async () => {
  const settings = { state: join(temporaryDirectory('as-user'), 'state'), hops: new Map<never, never>() }
  const machine = { ...TEST_MACHINE, userDatabase: (kind: 'passwd' | 'group') => (kind === 'passwd' ? 'postern:x:4711:4711::/:/bin/false\n' : '') }
  const check = (rights: Rights): Promise<readonly string[]> => checkServiceUser(settings, machine, { look: () => Promise.resolve(['broken']), rights })
  assert.deepEqual(await check(pretended().rights), ['user postern (4711), as whom packaging/postern.service runs it, could not use this: broken'])
  assert.deepEqual(await check(pretended({ refused: 'setUser' }).rights), ['not looked at as user postern (4711), as whom packaging/postern.service runs it: root may not work as another user here (EPERM, not permitted)'])
})
