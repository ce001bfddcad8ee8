/** What to do about replies of servers that Postern does not work with, or not now. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adviceOn, isWrongServer, warningsOf } from '../../../src/state/redis-advice.ts'

const ADVICE: readonly (readonly [string, RegExp, boolean])[] = [
  ['MOVED 3723 127.0.0.1:7001', /clusters are not followed: redis\.address has to be one server/, true],
  ['CLUSTERDOWN Hash slot not served', /a cluster that is not whole/, false],
  ["READONLY You can't write against a read only replica. script: 0125, on @user_script:8.", /it is a replica: redis\.address has to be the primary/, false],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", /it is a replica/, false],
  ["OOM command not allowed when used memory > 'maxmemory'. script: 6ac8, on @user_script:10.", /raise its maxmemory/, false],
  ['LOADING Redis is loading the dataset in memory', /answers when it has/, false],
  ['MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.', /its own log says why/, false],
  ['NOREPLICAS Not enough good replicas to write.', /min-replicas-to-write/, false],
  ['NOAUTH Authentication required.', /redis\.password_file/, false],
  ["NOPERM User reader has no permissions to run the 'evalsha' command", /docs\/operations\.md/, false],
  ["ERR ACL failure in script: User reader has no permissions to run the 'hset' command script: 0125", /docs\/operations\.md/, false],
  ["ERR unknown command 'EVALSHA', with args beginning with: '0125'", /a Sentinel, or lets nobody run scripts/, true],
  ['ERR max number of clients reached', /maxclients/, false],
]

for (const [error, advice, wrong] of ADVICE) {
  test(`${error.slice(0, 40)}…`, () => {
    assert.match(adviceOn(error) ?? '', advice)
    assert.equal(isWrongServer(error), wrong)
  })
}

test('what says enough has no advice', () => {
  for (const error of ['WRONGPASS invalid username-password pair or user is disabled.', 'connect ECONNREFUSED 127.0.0.1:6379', 'ERR Error running script']) assert.equal(adviceOn(error), undefined)
})

test('a server that throws keys away, and a replica, are warned of by what they say of themselves', () => {
  const info = (more: string): string => `# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n${more}`
  assert.deepEqual(warningsOf(info('maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\nrole:master\r\n')), [])
  assert.deepEqual(warningsOf(info('maxmemory:1000000\r\nmaxmemory_policy:volatile-lru\r\nrole:master\r\n')), [])
  assert.deepEqual(warningsOf(info('maxmemory:1000000\r\nmaxmemory_policy:allkeys-lru\r\nrole:master\r\n')), ['it throws away what was learned where its memory is full (maxmemory-policy allkeys-lru): give it noeviction, or one of volatile-…'])
  assert.deepEqual(warningsOf(info('role:slave\r\n')), ['it is a replica: redis.address has to be the primary, or a name that goes with it'])
  assert.deepEqual(warningsOf('garbage'), [])
})
