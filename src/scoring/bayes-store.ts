/**
 * Opens the store of what the classifier learnt that the configuration names.
 * The embedded one throws where its file cannot be used; that in Redis connects
 * when it is first asked, and rejects then.
 */
import { mkdirSync } from 'node:fs'
import { readPasswordFile } from '../delivery/password-file.ts'
import { TOKENS_VERSION, type BayesStore } from '../spam/bayes/store.ts'
import { BayesDatabase } from '../state/bayes-database.ts'
import { RedisBayes } from '../state/redis-bayes.ts'
import { RedisConnection } from '../state/redis-connection.ts'
import { redisName } from '../state/redis-settings.ts'
import type { LearningSettings } from './learning-settings.ts'

const DAY_MS = 86_400_000

export interface StoreRequest {
  /** directory of the state */
  readonly state: string
  /** tokens that are added up together; default: many, for a process that does nothing else */
  readonly batchTokens?: number
  /** told once of what does not go with what is kept there */
  readonly warn?: (warning: string) => void
}

export function openBayesStore({ store, maxTokens, expireMs }: Pick<LearningSettings, 'store' | 'maxTokens' | 'expireMs'>, { state, batchTokens, warn }: StoreRequest): BayesStore {
  const tokenDays = Math.ceil(expireMs / DAY_MS)
  const bounds = { tokensVersion: TOKENS_VERSION, maxTokens, tokenDays, ...(batchTokens !== undefined && { batchTokens }) }
  switch (store.kind) {
    case 'embedded': return new BayesDatabase(state, bounds)
    case 'redis':
      // The model made of it lies here all the same.
      mkdirSync(state, { recursive: true, mode: 0o750 })
      return new RedisBayes(new RedisConnection(store.redis, { readPassword: readPasswordFile }), { ...bounds, prefix: store.redis.prefix, ...(warn !== undefined && { warn: (warning) => warn(`Redis at ${redisName(store.redis)}: ${warning}`) }) })
  }
}
