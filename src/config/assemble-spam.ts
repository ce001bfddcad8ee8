/** Makes the settings of scoring, and of Redis, out of sections without errors: paths absolute, defaults filled in. */
import { resolve } from 'node:path'
import { URI_SKIPPED } from '../reputation/uri-settings.ts'
import { placedEngine } from './format-engine.ts'
import type { ValuesOf } from './leaf.ts'
import type { REDIS } from './redis-schema.ts'
import type { RedisSettings } from '../state/redis-settings.ts'
import type { SPAM } from './spam-schema.ts'
import type { SpamSettings } from './spam-settings.ts'

export function assembleRedis(values: ValuesOf<typeof REDIS>, base: string): RedisSettings {
  const { address, tls, ca, username, password_file: passwordFile, database, prefix } = values
  return {
    address: address.kind === 'unix' ? { kind: 'unix', path: resolve(base, address.path) } : address,
    tls: tls ? { ca: ca === undefined ? undefined : resolve(base, ca) } : undefined,
    login: passwordFile === undefined ? undefined : { username, passwordFile: resolve(base, passwordFile) },
    database, prefix,
  }
}

export function assembleSpam(values: ValuesOf<typeof SPAM>, { base, redis }: { readonly base: string; readonly redis: RedisSettings }): SpamSettings {
  const placed = (path: string): string => resolve(base, path)
  const { bayes } = values
  return {
    rules: { shipped: values.shipped_rules, paths: values.rules.map(placed), scores: new Map(values.scores.map(({ rule, score }) => [rule, score])), spamassassin: values.spamassassin.map(placed) },
    bayes: {
      store: bayes.store === 'redis' ? { kind: 'redis', redis } : { kind: 'embedded' },
      minMessages: bayes.min_messages, maxTokens: bayes.max_tokens, expireMs: bayes.expire,
      learn: bayes.learn.map(({ folder, as }) => ({ folder: placed(folder), as })),
      autoLearn: bayes.auto_learn === 'on' ? { spam: bayes.auto_learn_spam, ham: bayes.auto_learn_ham } : undefined,
    },
    uriLists: { zones: values.uri_lists, skip: values.uri_lists_skip ?? URI_SKIPPED },
    correspondents: { rememberMs: values.correspondents.remember },
    senders: { rememberMs: values.senders.remember },
    engines: values.engines.map((one) => placedEngine(one, placed)),
  }
}
