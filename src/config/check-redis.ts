/** Checks what `redis` says, and that it is there for those who use it. Problems go to the collector. */
import { resolve } from 'node:path'
import type { CheckContext } from './check-context.ts'
import { checkAuthorities, checkReadable } from './check-files.ts'
import { formatAddress, unixPathProblem } from './format-names.ts'
import { isLoopback, isWildcard } from './loops.ts'
import type { Model } from './model.ts'
import { REDIS } from './redis-schema.ts'
import { keysOf } from './section.ts'

const KEYS = keysOf({ redis: REDIS })

export function checkRedis(model: Model, context: CheckContext): void {
  const { collector } = context
  const { redis, spam } = model.root.values
  const given = KEYS.some(model.root.isGiven)
  const used = spam.bayes.store === 'redis'
  if (used && !given) collector.error(['spam', 'bayes', 'store'], 'redis, and there is no section redis', 'a section redis with its address, or store: embedded')
  if (!given) return
  if (!used) collector.warn(['redis'], 'nothing is kept there: spam.bayes.store is embedded')
  checkAddress(model, context)
  const { isGiven } = model.root
  if (isGiven('redis.username') && !isGiven('redis.password_file')) collector.error(['redis', 'username'], 'username stands without password_file', 'both, or password_file alone')
  if (redis.password_file !== undefined) checkReadable(resolve(context.base, redis.password_file), ['redis', 'password_file'], context)
  if (redis.tls === false && isGiven('redis.ca')) collector.error(['redis', 'ca'], 'does nothing without tls', 'tls: true beside it')
  else if (redis.ca !== undefined) checkAuthorities(resolve(context.base, redis.ca), ['redis', 'ca'], context)
}

function checkAddress(model: Model, { collector, base }: CheckContext): void {
  const { address, tls, password_file: passwordFile } = model.root.values.redis
  if (address === undefined) return
  if (address.kind === 'unix') {
    const problem = unixPathProblem(resolve(base, address.path))
    if (problem !== undefined) collector.error(['redis', 'address'], problem, 'a shorter path')
    if (tls === true) collector.error(['redis', 'tls'], 'a unix socket has no name that a certificate could have', 'tls: false, or host:port')
    return
  }
  if (isWildcard(address.host)) collector.error(['redis', 'address'], `${formatAddress(address)} is no address to connect to`, "the server's own address")
  if (tls === false && passwordFile !== undefined && !isLoopback(address)) {
    collector.warn(['redis', 'tls'], `the password goes to ${formatAddress(address)} in clear, where others may read it; tls: true is better`)
  }
}
