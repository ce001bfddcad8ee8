/** Lists of links over a zone map, and links to ask them for. */
import { domainToASCII } from 'node:url'
import type { Resolver } from '../../../src/dns/resolver.ts'
import { organizationalDomain } from '../../../src/reputation/organizational-domain.ts'
import { createUriLists, type UriLists } from '../../../src/reputation/uri-lists.ts'
import type { UriLink } from '../../../src/reputation/uri-questions.ts'
import type { UriListSettings, UriListZone } from '../../../src/reputation/uri-settings.ts'
import type { Log } from '../../../src/observe/log.ts'
import { zoneMap, type ZoneData, type ZoneMap } from '../../support/zone-map.ts'
import type { Logged } from './dnsbl-fixture.ts'

export const ZONE = 'uribl.example'

/** A list of names that works, and lists bad.example.com. */
export const WORKING: ZoneData = {
  [`test.${ZONE}`]: { A: ['127.0.0.2'] },
  [`badshop.com.${ZONE}`]: { A: ['127.0.0.2'] },
}

export const NAMES = { zone: ZONE, kind: 'domain', weight: 4 } as const satisfies UriListZone

export function linkTo(url: string, more: Partial<UriLink> = {}): UriLink {
  const { protocol, hostname, port } = new URL(url)
  const host = domainToASCII(hostname.replace(/^\[|\]$/g, '')) || hostname.replace(/^\[|\]$/g, '')
  const address = /^[0-9.]+$|:/.test(host)
  return {
    kind: 'href', url, scheme: protocol.slice(0, -1), host, address, hidden: false, shown: 'read more',
    domain: address ? host : (organizationalDomain(host) ?? ''),
    port: port === '' ? undefined : Number(port),
    ...more,
  }
}

export interface UriBed {
  readonly lists: UriLists
  readonly zone: ZoneMap
  readonly log: readonly Logged[]
  pass(ms: number): void
}

export interface UriBedOptions extends Partial<UriListSettings> {
  readonly around?: (resolver: Resolver) => Resolver
}

export function uriBed(data: ZoneData, zones: readonly UriListZone[], { around = (resolver) => resolver, ...settings }: UriBedOptions = {}): UriBed {
  const zone = zoneMap(data)
  const logged: Logged[] = []
  let now = 1_800_000_000_000
  const at = (level: string) => (facts: Readonly<Record<string, unknown>>, text: string): void => void logged.push({ level, facts, text })
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  return { lists: createUriLists({ ...settings, zones }, { resolver: around(zone), now: () => now, log }), zone, log: logged, pass: (ms) => void (now += ms) }
}

/** The same, proved, and with an empty memory of what was asked. */
export async function provedUris(...given: Parameters<typeof uriBed>): Promise<UriBed> {
  const bed = uriBed(...given)
  await bed.lists.tick()
  bed.zone.forget()
  return bed
}
