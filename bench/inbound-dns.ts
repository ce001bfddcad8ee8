/**
 * The DNS that bench/inbound.ts lets the gateway ask, as a process of its own,
 * so that its CPU time is not the gateway's.
 *
 *     node bench/inbound-dns.ts --port 5300 --key KEY
 *
 * KEY is a DKIM public key in base64. Prints `ready` when it listens.
 *
 * There is a sender domain for each number, c0.example, c1.example and so on,
 * whose records are made when they are asked for, each with a text of its own, so that a load can have a new
 * client and a new domain with each message (`senderOf`). bl1.example and so on
 * are DNS lists that list nobody but 127.0.0.2.
 */
import packet, { type Answer } from 'dns-packet'
import { createSocket } from 'node:dgram'
import { benchOptions } from './options.ts'

export interface BenchSender {
  readonly address: string
  readonly domain: string
  /** in HELO, and in the DNS */
  readonly name: string
}

/** The client with this number: all of 11.0.0.0/8 in turn, for mail to private addresses has no way. */
export function senderOf(number: number): BenchSender {
  const domain = `c${number}.example`
  return { address: `11.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`, domain, name: `mx.${domain}` }
}

export const LISTS = ['bl1.example', 'bl2.example', 'bl3.example']
export const SELECTOR = 's1'
const TTL_SECONDS = 3600

/** `undefined`: there is no such name; an empty list: it has no such records. */
function answersTo(name: string, type: string, key: string): readonly Answer[] | undefined {
  const has = (wanted: string, data: string): readonly Answer[] => (type === wanted ? [{ name, type, class: 'IN', ttl: TTL_SECONDS, data } as Answer] : [])
  const reversed = /^(\d+)\.(\d+)\.(\d+)\.11\.in-addr\.arpa$/.exec(name)
  if (reversed) return has('PTR', senderOf((Number(reversed[3]) << 16) | (Number(reversed[2]) << 8) | Number(reversed[1])).name)
  if (/^2\.0\.0\.127\.bl\d\.example$/.test(name)) return has('A', '127.0.0.2')
  const [, label = '', number] = /^(?:(.+)\.)?c(\d+)\.example$/.exec(name) ?? []
  if (number === undefined) return undefined
  const { address, domain, name: mx } = senderOf(Number(number))
  switch (label) {
    case '': return type === 'MX' ? [{ name, type, ttl: TTL_SECONDS, data: { preference: 10, exchange: mx } }] : has('TXT', `v=spf1 include:_spf.${domain} -all`)
    case 'mx': return has('A', address)
    case '_spf': return has('TXT', 'v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 ip4:11.0.0.0/8 ?all')
    case '_dmarc': return has('TXT', 'v=DMARC1; p=reject; rua=mailto:reports@example.org')
    case `${SELECTOR}._domainkey`: return type === 'TXT' ? [{ name, type, ttl: TTL_SECONDS, data: (`v=DKIM1; k=rsa; n=${domain}; p=${key}`.match(/.{1,255}/g) ?? []) }] : []
    default: return undefined
  }
}

const SOA: Answer = { name: 'example', type: 'SOA', ttl: TTL_SECONDS, data: { mname: 'ns.example', rname: 'root.example', serial: 1, refresh: 3600, retry: 600, expire: 86_400, minimum: TTL_SECONDS } }

function serve(port: number, key: string): void {
  const socket = createSocket('udp4')
  socket.on('message', (bytes, { port: from, address }) => {
    const { id = 0, questions = [] } = packet.decode(bytes)
    const [question] = questions
    if (question === undefined) return
    const answers = answersTo(question.name.toLowerCase(), question.type, key)
    socket.send(packet.encode({
      type: 'response', id, questions, flags: packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE | (answers === undefined ? 3 : 0),
      answers: [...answers ?? []], authorities: answers === undefined || answers.length === 0 ? [SOA] : [],
      additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] }],
    }), from, address)
  })
  socket.bind(port, '127.0.0.1', () => console.log('ready'))
}

if (import.meta.main) {
  const { port, key } = benchOptions({ port: { type: 'string', default: '5300' }, key: { type: 'string', default: '' } })
  serve(Number(port), key)
}
