/**
 * CPU per message of signing what leaves: Postern with RSA-2048, with Ed25519,
 * with both and without a key, and Postfix with OpenDKIM in the same run. The
 * load is Postfix's smtp-source, the next hop its smtp-sink; neither counts.
 *
 *   npm run bench:sign -- [--messages 4000] [--sessions 20] [--workers auto] [--rounds 3]
 *
 * Needs root and Debian's postfix and opendkim. Absolute figures move from
 * machine to machine: what holds is the ratio of the rows, which take turns.
 * First it says what the signatures alone cost here.
 */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startGateway } from '../test/support/gateway.ts'
import { makeRsaKey } from '../test/support/peers/dkimpy.ts'
import { startOpenDkim } from '../test/support/peers/opendkim.ts'
import { startPostfix } from '../test/support/peers/postfix.ts'
import { temporaryDirectory } from '../test/support/process.ts'
import { benchOptions } from './options.ts'
import { compare, startedBy, startSink, type Load, type Relay } from './relay-load.ts'

const values = benchOptions({
  messages: { type: 'string', default: '4000' },
  sessions: { type: 'string', default: '20' },
  workers: { type: 'string', default: 'auto' },
  rounds: { type: 'string', default: '3' },
})

const DOMAIN = 'example.com'
const LOADS: readonly Load[] = [
  { name: '4 KB', bytes: 4096, onePerConnection: false },
  { name: '50 KB', bytes: 51200, onePerConnection: false },
  { name: '4 KB, one message a connection', bytes: 4096, onePerConnection: true },
]

const folder = temporaryDirectory('bench-sign')
const pairs = { rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, ed25519: generateKeyPairSync('ed25519').privateKey }
for (const [name, key] of Object.entries(pairs)) writeFileSync(join(folder, name), key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })

async function startPostern(name: string, keys: readonly (keyof typeof pairs)[], sink: number): Promise<Relay> {
  const gateway = await startGateway({
    workers: values.workers === 'auto' ? 'auto' : Number(values.workers),
    log: { level: 'info', format: 'json' },
    // Nobody answers there: what the DNS says of the keys is not what is measured.
    dns: { servers: ['127.0.0.1:9'], timeout: '100ms', tries: 1 },
    listeners: [{ role: 'outbound', next: 'hop' }],
    hops: { hop: { smtp: `127.0.0.1:${sink}` } },
    signing: { keys: keys.map((key) => ({ domain: DOMAIN, selector: key, key: join(folder, key) })) },
  })
  const address = gateway.address()
  if (!('port' in address)) throw new Error('the gateway listens on TCP')
  return { name, port: address.port, pids: [gateway.pid], queues: false, stop: () => gateway.stop() }
}

async function startPeer(sink: number): Promise<Relay> {
  const { made, pids } = await startedBy(async () => {
    const milter = await startOpenDkim({ domain: DOMAIN, selector: 's', key: makeRsaKey(), canonicalization: 'relaxed/relaxed' })
    const hop = await startPostfix({
      relayTo: sink,
      main: [
        'smtpd_client_connection_count_limit = 0', 'smtpd_client_connection_rate_limit = 0', 'smtpd_peername_lookup = no', 'in_flow_delay = 0',
        `smtpd_milters = ${milter.milter}`, 'milter_default_action = tempfail',
      ],
    })
    return { milter, hop }
  })
  const { milter, hop } = made
  if (!('port' in hop.address)) throw new Error('Postfix listens on TCP')
  return { name: 'Postfix + OpenDKIM', port: hop.address.port, pids, queues: true, stop: () => Promise.all([hop.stop(), milter.stop()]) }
}

function alone(key: KeyObject, algorithm: string | null, data: Buffer): string {
  for (let i = 0; i < 500; i++) sign(algorithm, data, key)
  const before = process.cpuUsage()
  for (let i = 0; i < 2000; i++) sign(algorithm, data, key)
  const { user, system } = process.cpuUsage(before)
  return ((user + system) / 2000 / 1000).toFixed(3)
}

console.log(`RSA-2048 alone: ${alone(pairs.rsa, 'sha256', Buffer.alloc(500))} ms, Ed25519 alone: ${alone(pairs.ed25519, null, Buffer.alloc(32))} ms`)
const sink = await startSink()
const systems = [
  await startPostern('Postern, no key', [], sink.port),
  await startPostern('Postern, Ed25519', ['ed25519'], sink.port),
  await startPostern('Postern, RSA-2048', ['rsa'], sink.port),
  await startPostern('Postern, both', ['rsa', 'ed25519'], sink.port),
  await startPeer(sink.port),
]
console.log(`${values.messages} messages, ${values.sessions} sessions, workers: ${values.workers}, median of ${values.rounds} rounds\n`)
await compare(systems, LOADS, { messages: Number(values.messages), sessions: Number(values.sessions), rounds: Number(values.rounds) })
for (const system of systems) await system.stop()
await sink.stop()
