/**
 * What of a message the lists are asked for: names, addresses and hashes out of
 * its links and the addresses of its author, each once, the telling ones first,
 * and not more than so many.
 *
 * The order: domains of the author's addresses (for lists that want them); then
 * what a reader can follow (links, forms), then what stands in the text as a
 * URL, then images and other elements, and at last what nobody sees. Among
 * equals the one that shows most, the first, the last, then the one that shows
 * next most, the second, the last but one …: whoever fills a message with
 * harmless links puts them before or behind the one that counts, and lets them
 * show hardly anything.
 * Organizational domains come before the hosts below them, at most 3 of each.
 *
 * What is on the skip list is not asked for, nor counted. Pure; linear.
 */
import { normalName } from '../dns/name.ts'
import { organizationalDomain } from './organizational-domain.ts'
import { addressKey, isUnrouted, parseIpAddress, reverseLabels } from './reverse-name.ts'
import { canonicalAddress, canonicalUrls, hashLabel, mailtoAddresses, plainAddress } from './uri-hash.ts'
import type { UriListZone } from './uri-settings.ts'

/** What is needed of a link; the links of a message's content have it. */
export interface UriLink {
  readonly kind: 'href' | 'image' | 'form' | 'other' | 'text'
  readonly url: string
  readonly scheme: string
  readonly host: string
  readonly domain: string
  readonly port: number | undefined
  /** the host is an IP address */
  readonly address: boolean
  readonly hidden: boolean
  /** what a reader sees of it */
  readonly shown: string
}

export interface UriSubject {
  readonly links: readonly UriLink[]
  /** of From and Reply-To, the most telling first */
  readonly addresses: readonly string[]
}

export interface UriQuestion {
  /** what stands before the zone */
  readonly labels: string
  /** what is asked for, as a reader knows it */
  readonly item: string
}

export interface UriQuestions {
  readonly questions: readonly UriQuestion[]
  /** how many more there were */
  readonly unasked: number
}

const MAX_HOSTS = 3
/** Those in the middle of more are not looked at, and count as one that is not asked for. */
const MAX_LINKS = 2000
const MAX_ADDRESSES = 20

/** The links in the order in which they are asked for. */
export interface OrderedSubject {
  readonly links: readonly UriLink[]
  /** in lower case */
  readonly addresses: readonly string[]
  readonly more: number
}

export function inOrder({ links, addresses }: UriSubject, isSkipped: (host: string) => boolean): OrderedSubject {
  const ranks: UriLink[][] = [[], [], [], []]
  const seen = links.length <= MAX_LINKS ? links : [...links.slice(0, MAX_LINKS / 2), ...links.slice(-MAX_LINKS / 2)]
  for (const link of seen) if (link.host === '' || !isSkipped(link.host)) ranks[rankOf(link)]?.push(link)
  return {
    links: ranks.flatMap(tellingFirst),
    addresses: addresses.slice(0, MAX_ADDRESSES).map(plainAddress).filter((one) => one !== undefined),
    more: links.length > seen.length ? 1 : 0,
  }
}

function rankOf({ kind, hidden }: UriLink): number {
  if (hidden) return 3
  switch (kind) {
    case 'href':
    case 'form': return 0
    case 'text': return 1
    case 'image':
    case 'other': return 2
  }
}

/** Takes turns: by what they show, from the beginning, from the end. */
function tellingFirst(list: readonly UriLink[]): readonly UriLink[] {
  if (list.length <= 2) return list
  const byShown = list.toSorted((a, b) => b.shown.length - a.shown.length)
  const ordered = new Set<UriLink>()
  for (const [i, first] of list.entries()) {
    const shows = byShown[i]
    const last = list[list.length - 1 - i]
    // Where all show the same, that says nothing.
    if (shows !== undefined && shows.shown.length > (byShown.at(-1)?.shown.length ?? 0)) ordered.add(shows)
    ordered.add(first)
    if (last !== undefined) ordered.add(last)
    if (ordered.size === list.length) break
  }
  return [...ordered]
}

/** Whether a host is one of these domains, or below one. */
export function skipping(domains: readonly string[]): (host: string) => boolean {
  const names = new Set(domains.map((domain) => domain.toLowerCase().replace(/\.$/, '')))
  return (host) => {
    for (let at = 0; at >= 0; at = host.indexOf('.', at) + 1 || -1) if (names.has(host.slice(at))) return true
    return false
  }
}

/** @param room characters that are left before the zone, without the dot */
export function questionsOf(zone: UriListZone, subject: OrderedSubject, { most, room }: { readonly most: number; readonly room: number }): UriQuestions {
  const each = new Map<string, UriQuestion>()
  for (const { labels, item } of everyQuestion(zone, subject)) {
    const fits = fitting(labels, room)
    if (!each.has(fits)) each.set(fits, { labels: fits, item })
  }
  const extra = zone.kind !== 'address' && zone.ask !== undefined && zone.ask !== 'domain' ? hostsLeftOut(subject) : 0
  return { questions: [...each.values()].slice(0, most), unasked: Math.max(0, each.size - most) + extra + subject.more }
}

/** A name that is too long is asked for without its first labels: lists hold what is registered, and all below it. */
function fitting(labels: string, room: number): string {
  if (labels.length <= room) return labels
  const end = labels.slice(-room - 1)
  return end.slice(end.indexOf('.') + 1)
}

function everyQuestion(zone: UriListZone, subject: OrderedSubject): readonly UriQuestion[] {
  switch (zone.kind) {
    case 'domain':
      return namesOf(subject, zone).map((name) => ({ labels: name, item: name }))
    case 'address':
      return subject.links.filter(({ address }) => address).flatMap(({ host }) => {
        const address = parseIpAddress(host)
        if (address === undefined || isUnrouted(address) || (address.family === 6 && zone.ipv6 !== true)) return []
        return [{ labels: reverseLabels(address), item: addressKey(address) }]
      })
    case 'hash':
      return hashed(zone, subject).map((item) => ({ labels: hashLabel(item, zone), item }))
  }
}

function hashed(zone: Extract<UriListZone, { readonly kind: 'hash' }>, subject: OrderedSubject): readonly string[] {
  switch (zone.of) {
    case 'domain': return namesOf(subject, zone)
    case 'url': return subject.links.flatMap((link) => canonicalUrls(link, zone.url))
    case 'email': {
      const written = subject.links.filter(({ scheme }) => scheme === 'mailto').flatMap(({ url }) => mailtoAddresses(url))
      return [...subject.addresses, ...written].map(canonicalAddress).filter((one) => one !== undefined)
    }
  }
}

interface Group {
  readonly domain: string
  readonly hosts: Set<string>
  leftOut: number
}

/** By organizational domain. */
function groupsOf({ links, addresses }: OrderedSubject, withAddresses: boolean): readonly Group[] {
  const groups = new Map<string, Group>()
  const put = (registered: string, host: string): void => {
    if (!isRegistered(host)) return
    // Where the public suffix is not known, or what is given is no part of the host, the host stands for itself.
    const domain = isRegistered(registered) && host.endsWith(`.${registered}`) ? registered : host
    const group = groups.get(domain) ?? { domain, hosts: new Set(), leftOut: 0 }
    groups.set(domain, group)
    if (group.hosts.size < MAX_HOSTS) group.hosts.add(host)
    else if (!group.hosts.has(host)) group.leftOut = 1
  }
  if (withAddresses) {
    for (const address of addresses) {
      const host = address.slice(address.lastIndexOf('@') + 1)
      put(organizationalDomain(host) ?? '', host)
    }
  }
  for (const { host, domain, address } of links) if (!address) put(domain, host)
  return [...groups.values()]
}

/** First all the domains, then one host of each, then another. */
function namesOf(subject: OrderedSubject, { ask = 'domain', addresses = false }: { readonly ask?: 'domain' | 'host' | 'both'; readonly addresses?: boolean }): readonly string[] {
  const groups = groupsOf(subject, addresses)
  const domains = ask === 'host' ? [] : groups.map(({ domain }) => domain)
  if (ask === 'domain') return domains
  const rounds = Array.from({ length: MAX_HOSTS }, (_, round) => groups.flatMap(({ hosts }) => [...hosts].slice(round, round + 1)))
  return [...domains, ...rounds.flat()]
}

function hostsLeftOut(subject: OrderedSubject): number {
  return groupsOf(subject, false).reduce((sum, { leftOut }) => sum + leftOut, 0)
}

/** It has two labels, the last is no number (which makes an address of it), and each is one that can be registered. */
function isRegistered(host: string): boolean {
  return normalName(host) !== undefined && /^(?:[a-z0-9_-]+\.)+[a-z0-9-]*[a-z][a-z0-9-]*$/.test(host)
}
