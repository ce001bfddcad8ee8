/** What the classifier learnt, in a real Redis: what every store has to do, and what is its own. */
import { after, before, describe } from 'node:test'
import { RedisBayes } from '../../src/state/redis-bayes.ts'
import { bayesStoreContract } from '../support/bayes-store-contract.ts'
import { missing } from '../support/peers/programs.ts'
import { startRedis, type RedisServer } from '../support/peers/redis.ts'

describe('the classifier in Redis', { skip: missing('redis-server') }, () => {
  let server: RedisServer
  let places = 0
  before(async () => {
    server = await startRedis()
  })
  after(() => server.stop())

  bayesStoreContract(() => {
    const prefix = `place${places++}`
    return { open: (settings) => new RedisBayes(server.connect(), { maxTokens: 100_000, ...settings, prefix }) }
  })
})
