/**
 * Whether what the classifier learned can be had from where several machines
 * share it. A server that does not answer now is a warning, since mail flows
 * without it; one that does not let us in is an error. Nothing is written.
 */
import { readPasswordFile } from '../delivery/password-file.ts'
import type { LearningStore } from '../scoring/learning-settings.ts'
import { TOKENS_VERSION } from '../spam/bayes/store.ts'
import { glanceAt, warningsAbout } from '../state/redis-bayes.ts'
import { REDIS_TIMES, RedisConnection, RedisError } from '../state/redis-connection.ts'
import { redisName } from '../state/redis-settings.ts'

export interface StoreReport {
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  /** of the summary */
  readonly lines: readonly string[]
}

const CONNECT_MS = 3000

export async function checkStore(store: LearningStore): Promise<StoreReport> {
  if (store.kind === 'embedded') return { errors: [], warnings: [], lines: [] }
  const { redis: settings } = store
  const redis = new RedisConnection(settings, { readPassword: readPasswordFile, times: { ...REDIS_TIMES, connectMs: CONNECT_MS, commandMs: CONNECT_MS } })
  try {
    const found = await glanceAt(redis, settings.prefix)
    if (found !== undefined && found.version !== TOKENS_VERSION) {
      return { errors: [`Redis at ${redisName(settings)} has tokens of version ${found.version}, this Postern makes ${TOKENS_VERSION}: remove the keys ${settings.prefix}:{bayes}:* or use another prefix, and train the classifier again`], warnings: [], lines: [] }
    }
    const known = found === undefined ? 'nothing yet' : `${found.ham} wanted and ${found.spam} unwanted messages`
    const warnings = (await warningsAbout(redis)).map((warning) => `Redis at ${redisName(settings)}: ${warning}`)
    return { errors: [], warnings, lines: [`  learned    in Redis at ${redisName(settings)}: ${known}`] }
  } catch (error) {
    if (!(error instanceof RedisError)) throw error
    if (error.trouble === 'denied') return { errors: [error.message], warnings: [], lines: [] }
    return { errors: [], warnings: [`${error.message}; mail is scored by the last model, and nothing is learned before it answers`], lines: [] }
  } finally {
    redis.close()
  }
}
