/**
 * CPU per message as a plain relay: Postern, and Postfix in the same run. The
 * load is Postfix's smtp-source, the next hop its smtp-sink; neither counts.
 *
 *   npm run bench -- [--messages 8000] [--sessions 20] [--workers auto] [--rounds 3]
 *
 * Needs root and Debian's postfix. Absolute figures move from machine to
 * machine: what holds is the ratio of the rows, which take turns.
 */
import { startGateway } from '../test/support/gateway.ts'
import { startPostfix } from '../test/support/peers/postfix.ts'
import { benchOptions } from './options.ts'
import { compare, startedBy, startSink, type Load, type Relay } from './relay-load.ts'

const values = benchOptions({
  messages: { type: 'string', default: '8000' },
  sessions: { type: 'string', default: '20' },
  workers: { type: 'string', default: 'auto' },
  rounds: { type: 'string', default: '3' },
})

const LOADS: readonly Load[] = [
  { name: '4 KB', bytes: 4096, onePerConnection: false },
  { name: '50 KB', bytes: 51200, onePerConnection: false },
  { name: '4 KB, one message a connection', bytes: 4096, onePerConnection: true },
]

async function startPostern(sink: number): Promise<Relay> {
  const workers = values.workers === 'auto' ? 'auto' : Number(values.workers)
  const gateway = await startGateway({
    workers,
    log: { level: 'info', format: 'json' },
    listeners: [{ next: 'hop' }],
    hops: { hop: { smtp: `127.0.0.1:${sink}` } },
  })
  const address = gateway.address()
  if (!('port' in address)) throw new Error('the gateway listens on TCP')
  return { name: 'Postern', port: address.port, pids: [gateway.pid], queues: false, stop: () => gateway.stop() }
}

async function startPeer(sink: number): Promise<Relay> {
  const { made: hop, pids } = await startedBy(() => startPostfix({
    relayTo: sink,
    main: ['smtpd_client_connection_count_limit = 0', 'smtpd_client_connection_rate_limit = 0', 'smtpd_peername_lookup = no', 'in_flow_delay = 0'],
  }))
  if (!('port' in hop.address)) throw new Error('Postfix listens on TCP')
  return { name: 'Postfix', port: hop.address.port, pids, queues: true, stop: () => hop.stop() }
}

const sink = await startSink()
const relays = [await startPostern(sink.port), await startPeer(sink.port)]
console.log(`${values.messages} messages, ${values.sessions} sessions, workers: ${values.workers}, median of ${values.rounds} rounds\n`)
await compare(relays, LOADS, { messages: Number(values.messages), sessions: Number(values.sessions), rounds: Number(values.rounds) })
for (const relay of relays) await relay.stop()
await sink.stop()
