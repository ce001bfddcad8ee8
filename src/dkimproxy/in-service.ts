/** dkimproxy.in: what it does to a message. */
import { hostname } from 'node:os'
import { cachingResolver } from '../dns/cache.ts'
import { openResolver } from '../dns/configured.ts'
import type { MakePassingMessage } from '../transparent/passing-message.ts'
import { messageWords } from './message-words.ts'
import type { ProxyService, ServiceContext, ServiceReading } from './service.ts'
import type { InSettings } from './settings.ts'
import { VerifiedMessage } from './verified-message.ts'

const CACHE_ENTRIES = 10_000

export function openIn(settings: InSettings, context: ServiceContext): ServiceReading {
  const resolver = context.resolver ?? cachingResolver(openResolver({ servers: undefined, timeoutMs: undefined, tries: undefined }, context.log.log), { maxEntries: CACHE_ENTRIES, now: () => performance.now() })
  const { rejectFail, rejectError } = settings
  const authservId = settings.hostname ?? hostname()
  const message = (): MakePassingMessage => (envelope) => new VerifiedMessage({
    authservId, rejectFail, rejectError, spool: context.spool, resolver, date: context.date,
    onVerified: (detail, section, signer) => context.log.line(2, `DKIM verify - ${detail}; ${messageWords(section, signer)}`),
  }, envelope)
  const service: ProxyService = { message, reload: () => ({ errors: [], warnings: [] }) }
  return { status: 'ok', service, warnings: [] }
}
