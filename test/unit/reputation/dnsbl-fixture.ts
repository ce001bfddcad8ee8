/** DNS lists over a zone map, with a clock that is set by hand and a log that is kept. */
import type { Resolver } from '../../../src/dns/resolver.ts'
import type { Log } from '../../../src/observe/log.ts'
import { createDnsLists } from '../../../src/reputation/dnsbl.ts'
import type { DnsLists, DnsListZone } from '../../../src/reputation/dnsbl.ts'
import { zoneMap } from '../../support/zone-map.ts'
import type { ZoneData, ZoneMap } from '../../support/zone-map.ts'

export const ZONE = 'bl.example'
export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000

/** A list that works, and lists 192.0.2.1. */
export const WORKING: ZoneData = {
  [`2.0.0.127.${ZONE}`]: { A: ['127.0.0.2'] },
  [`1.2.0.192.${ZONE}`]: { A: ['127.0.0.2'], TXT: ['see https://bl.example/192.0.2.1'] },
}

export interface Logged {
  readonly level: string
  readonly facts: Readonly<Record<string, unknown>>
  readonly text: string
}

export interface ListBed {
  readonly lists: DnsLists
  readonly zone: ZoneMap
  readonly log: readonly Logged[]
  pass(ms: number): void
}

export function listBed(data: ZoneData, zones: readonly Partial<DnsListZone>[] = [{}], around: (resolver: Resolver) => Resolver = (resolver) => resolver): ListBed {
  const zone = zoneMap(data)
  const logged: Logged[] = []
  let now = 1_800_000_000_000
  const at = (level: string) => (facts: Readonly<Record<string, unknown>>, text: string): void => void logged.push({ level, facts, text })
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const settings = zones.map((one): DnsListZone => ({ zone: ZONE, kind: 'block', weight: 3, ipv6: true, ...one }))
  return {
    lists: createDnsLists({ zones: settings }, { resolver: around(zone), now: () => now, log }),
    zone,
    log: logged,
    pass: (ms) => void (now += ms),
  }
}
