/** The stub resolver that the configuration asks for; what it leaves open is the system's (resolv.conf(5)). */
import { readFileSync } from 'node:fs'
import type { Log } from '../observe/log.ts'
import type { ServerAddress } from './exchange.ts'
import { readResolvConf } from './resolv-conf.ts'
import { createStubResolver, type StubResolver } from './stub.ts'

/** What is undefined is the system's. */
export interface ResolverSettings {
  readonly servers: readonly ServerAddress[] | undefined
  /** of one answer of one server */
  readonly timeoutMs: number | undefined
  readonly tries: number | undefined
}

export function openResolver({ servers, timeoutMs, tries }: ResolverSettings, log: Log): StubResolver {
  const system = readResolvConf(resolvConf())
  return createStubResolver({ servers: servers ?? system.servers, timeoutMs: timeoutMs ?? system.timeoutMs, tries: tries ?? system.tries }, { log })
}

function resolvConf(): string | undefined {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8')
  } catch {
    // Without the file it is the server on this machine, as for the C library.
    return undefined
  }
}
