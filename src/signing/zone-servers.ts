/**
 * What every server of the zone says of a key's record: the NS names of the
 * zone that holds it, each of their addresses asked directly. Resolvers keep
 * what they know for a time, and ask any one of the servers: a new key may sign
 * only when all of them have its record. A name that is an alias (a provider
 * holds the record) is followed to the servers of its own zone.
 *
 * Never rejects. That a server could not be asked is a view of its own, and
 * never "missing".
 */
import { askAuthoritative, type AuthoritativeAnswer } from '../dns/authoritative.ts'
import type { ServerAddress } from '../dns/exchange.ts'
import type { Resolver } from '../dns/resolver.ts'
import { recordName } from './key-record.ts'
import { comparePublished, type Published } from './published.ts'
import { nameAndParents, type SigningKey } from './signing-key.ts'

export interface ServerView {
  /** `ns1.example.org (192.0.2.1)` */
  readonly server: string
  /** unreachable: this machine has no way there; lost: the name has no address */
  readonly published: Published | { readonly status: 'unreachable'; readonly cause: string }
}

export type ZoneView =
  | { readonly status: 'asked'; readonly views: readonly ServerView[] }
  /** the servers of the zone could not be found out */
  | { readonly status: 'unknown'; readonly cause: string }

export interface ZoneContext {
  readonly resolver: Resolver
  /** where the server with that address listens; default: port 53 */
  readonly serverAt?: (address: string) => ServerAddress
  /** of one exchange with a server */
  readonly timeoutMs?: number
}

type Half = Pick<SigningKey, 'domain' | 'selector' | 'algorithm' | 'publicData'>

const MAX_ALIASES = 8
const MAX_SERVERS = 32
const DNS_PORT = 53

/** Whether the key may be used: every server that can be asked has its record, and at least one can. */
export function isEverywhere(view: ZoneView): boolean {
  if (view.status === 'unknown') return false
  const reached = view.views.filter(({ published }) => published.status !== 'unreachable')
  return reached.length > 0 && reached.every(({ published }) => published.status === 'matches')
}

export async function askEverywhere(key: Half, context: ZoneContext): Promise<ZoneView> {
  const views: ServerView[] = []
  const seen = new Set<string>()
  for (let names = [recordName(key)]; names.length > 0;) {
    const [name = ''] = names
    names = names.slice(1)
    if (seen.has(name)) continue
    seen.add(name)
    if (seen.size > MAX_ALIASES) return { status: 'unknown', cause: `${recordName(key)} is an alias of more than ${MAX_ALIASES} names` }
    const servers = await serversFor(name, context.resolver)
    if (typeof servers === 'string') return { status: 'unknown', cause: servers }
    const answers = await Promise.all(servers.map(async ({ label, address }) => ({ server: label, answer: await askServer(address, name, context) })))
    for (const { server, answer } of answers) {
      const target = aliasOf(answer, name)
      if (target === undefined) views.push({ server, published: viewOf(answer, key) })
      else names.push(target)
    }
  }
  return { status: 'asked', views }
}

function askServer(address: string | undefined, name: string, { serverAt, timeoutMs }: ZoneContext): Promise<AuthoritativeAnswer<'TXT'>> {
  if (address === undefined) return Promise.resolve({ status: 'unreachable', cause: 'the name has no address' })
  const server = serverAt?.(address) ?? { host: address, port: DNS_PORT }
  return askAuthoritative({ server, name, type: 'TXT' }, timeoutMs === undefined ? {} : { timeoutMs })
}

function aliasOf(answer: AuthoritativeAnswer<'TXT'>, name: string): string | undefined {
  if (answer.status === 'alias') return answer.target
  // A server that holds both zones gives the end of the chain, which has servers of its own.
  return answer.status === 'records' && answer.name !== name ? answer.name : undefined
}

function viewOf(answer: AuthoritativeAnswer<'TXT'>, key: Half): ServerView['published'] {
  switch (answer.status) {
    case 'records': return comparePublished(answer.records, key)
    case 'nxdomain':
    case 'nodata': return { status: 'missing' }
    case 'unreachable': return answer
    case 'servfail':
    case 'timeout': return { status: 'temperror', cause: answer.cause }
    case 'alias': throw new Error('an alias is followed')
  }
}

interface ZoneServer {
  readonly label: string
  readonly address: string | undefined
}

/** The servers of the zone that the name lies in; why not, where that cannot be found out. */
async function serversFor(name: string, resolver: Resolver): Promise<readonly ZoneServer[] | string> {
  const hosts = await zoneHosts(name, resolver)
  if (typeof hosts === 'string') return hosts
  const servers: ZoneServer[] = []
  for (const host of hosts) {
    const found = await Promise.all([resolver.lookup(host, 'A'), resolver.lookup(host, 'AAAA')])
    const failed = found.find((one) => 'cause' in one)
    if (failed !== undefined) return `the addresses of ${host} could not be found out: ${failed.cause}`
    const addresses = found.flatMap((one) => (one.status === 'records' ? one.records : []))
    if (addresses.length === 0) servers.push({ label: host, address: undefined })
    for (const address of addresses) servers.push({ label: `${host} (${address})`, address })
  }
  return servers.length > MAX_SERVERS ? `the zone of ${name} has ${servers.length} addresses of servers; at most ${MAX_SERVERS} are asked` : servers
}

/** The nearest name above, or the name itself, that has NS records is the zone's (RFC 1034 §4.2.1). */
async function zoneHosts(name: string, resolver: Resolver): Promise<readonly string[] | string> {
  for (const candidate of nameAndParents(name)) {
    const found = await resolver.lookup(candidate, 'NS')
    if ('cause' in found) return `the servers of the zone of ${name} could not be found out: ${found.cause}`
    // Behind an alias stand those of another zone.
    if (found.status === 'records' && found.name === candidate) return found.records
  }
  return `no zone holds ${name}: nothing above it has NS records`
}
