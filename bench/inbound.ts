/**
 * What the inbound policy costs, check by check: CPU per message of the gateway
 * alone, with a DNS server of its own (a process apart), the load made here and
 * Postfix's smtp-sink as the next hop. Messages are signed by their senders; what
 * they say is the wanted mail of the collection that `bench:accuracy` fetches from
 * npm, one after the other, or made up where there is no network (or with `--generated`).
 *
 *   npm run bench:inbound -- [--messages 2000] [--sessions 20] [--rounds 3] [--warm-up 2000] [--workers 0] [--only standard] [--generated] [--cache FOLDER]
 *
 * known: the same client and domain again, so that each answer is in the cache.
 * new: a client and a sender domain that nobody has asked for, with each message.
 * Each message has a connection of its own, unless the row says otherwise.
 * Before anything counts each gateway has had so many messages of either kind
 * (`--warm-up`), for a gateway runs for weeks: until the run-time has compiled its
 * code, which takes some thousands of messages, one costs up to twice as much.
 * Needs root and Debian's postfix. Absolute figures move from machine to
 * machine: what holds is the ratio to the first row, with which all take turns.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createDecisionIds } from '../src/observe/decision-id.ts'
import { MODEL_FILE, writeModel } from '../src/spam/bayes/model-file.ts'
import { DATABASE_FILE, openDatabase } from '../src/state/database.ts'
import { DecisionStore } from '../src/state/decisions.ts'
import { startGateway, type Gateway } from '../test/support/gateway.ts'
import { freePort } from '../test/support/ports.ts'
import { start, temporaryDirectory, until, untilGreets } from '../test/support/process.ts'
import { cpuMs } from './cpu.ts'
import { LISTS, senderOf } from './inbound-dns.ts'
import { send } from './inbound-load.ts'
import { SignedMail } from './inbound-mail.ts'
import { benchOptions } from './options.ts'
import { measuredMessages, readCorpus } from './spam-messages.ts'
import { makeModel } from './spam-model.ts'

const values = benchOptions({
  messages: { type: 'string', default: '2000' },
  sessions: { type: 'string', default: '20' },
  rounds: { type: 'string', default: '3' },
  'warm-up': { type: 'string', default: '2000' },
  workers: { type: 'string', default: '0' },
  /** rows whose name has this in it, and the first */
  only: { type: 'string', default: '' },
  generated: { type: 'boolean', default: false },
  cache: { type: 'string', default: join(tmpdir(), 'postern-accuracy') },
})
const messages = Number(values.messages)
const warmUp = Number(values['warm-up'])
/** Unwanted mail is refused, and what is refused costs less. */
const SIZES = measuredMessages(readCorpus({ folders: [], cache: values.cache, generated: values.generated }).filter((one) => one.class === 'ham')).slice(0, 2)
const SEALER = senderOf(1).domain
const STORED = 200_000
const MODEL = makeModel(SIZES.flatMap((size) => size.messages))

type Mapping = Readonly<Record<string, unknown>>

interface Row {
  readonly name: string
  readonly policy: Mapping
  /** checks that its decisions must have, with their results or what these begin with */
  readonly finds: readonly RegExp[]
  readonly sealed?: boolean
  readonly perConnection?: number
}

const OFF = {
  early_talker: 'off', rdns: 'off', fcrdns: 'off', generic_name: 'off', dnswl: 'off', helo: 'off', sender_domain: 'off', spf: 'off', dkim: 'off', dmarc: 'off', content: 'off', bayes: 'off', correspondent: 'off',
  rate: { action: 'off' }, dnsbl: { action: 'off', lists: LISTS },
}
/** Somebody's wanted mail may look like spam to a model of made-up weights. */
const WHOLE = { preset: 'standard', spam: { reject: 1000 }, dnsbl: { lists: LISTS }, trusted_sealers: [SEALER] }
/** The classifier has a model of a million tokens, and its say. */
const TAUGHT = /^bayes \d/
const FOUND = [TAUGHT, /^iprev pass/, /^dnsbl clean/, /^helo pass/, /^spf pass/, /^sender_domain pass/, /^dkim pass/, /^dmarc pass/]

const ROWS: readonly Row[] = [
  { name: 'exempt: nothing is checked', policy: { exempt: ['11.0.0.0/8'] }, finds: [] },
  { name: 'judged, every check off', policy: OFF, finds: [] },
  { name: 'rdns, fcrdns', policy: { ...OFF, rdns: 'note', fcrdns: 'note' }, finds: [/^iprev pass/] },
  { name: 'dnsbl, 3 lists', policy: { ...OFF, dnsbl: { action: 'note', lists: LISTS } }, finds: [/^dnsbl clean/] },
  { name: 'helo', policy: { ...OFF, helo: 'note' }, finds: [/^helo pass/] },
  { name: 'sender_domain', policy: { ...OFF, sender_domain: 'note' }, finds: [/^sender_domain pass/] },
  { name: 'spf', policy: { ...OFF, spf: 'note' }, finds: [/^spf pass/] },
  { name: 'dkim', policy: { ...OFF, dkim: 'note' }, finds: [/^dkim pass/] },
  { name: 'dmarc (with spf, dkim)', policy: { ...OFF, dmarc: 'note' }, finds: [/^spf pass/, /^dkim pass/, /^dmarc pass/] },
  { name: 'content (rules)', policy: { ...OFF, content: 'note' }, finds: [/^content (?!temperror)/] },
  { name: 'bayes (classifier)', policy: { ...OFF, bayes: 'note' }, finds: [TAUGHT] },
  { name: 'standard: everything', policy: WHOLE, finds: FOUND },
  { name: 'standard, sealed by a forwarder (ARC)', policy: WHOLE, finds: FOUND, sealed: true },
  { name: 'standard, 20 messages a connection', policy: WHOLE, finds: FOUND, perConnection: 20 },
]

interface Running {
  readonly row: Row
  readonly gateway: Gateway
  readonly port: number
}

async function startRow(row: Row, { dns, sink }: { readonly dns: number; readonly sink: number }): Promise<Running> {
  const gateway = await startGateway({
    workers: Number(values.workers),
    log: { level: 'info', format: 'json' },
    dns: { servers: [`127.0.0.1:${dns}`] },
    policy: row.policy,
    listeners: [{ next: 'hop', trust: { proxy: ['127.0.0.1'] } }],
    hops: { hop: { smtp: `127.0.0.1:${sink}` } },
  })
  const address = gateway.address()
  if (!('port' in address)) throw new Error('the gateway listens on TCP')
  if ('dnsbl' in row.policy) await until('DNS lists were looked at', () => gateway.log().filter(({ msg }) => String(msg).startsWith('the DNS list answers')).length >= LISTS.length, { detail: () => gateway.output() })
  return { row, gateway, port: address.port }
}

/** Numbers of clients that were not used before. */
let newest = 1000

async function load({ row, port }: Running, mail: SignedMail, { count, known }: { readonly count: number; readonly known: boolean }): Promise<void> {
  const sealer = row.sealed === true ? SEALER : undefined
  const perConnection = row.perConnection ?? 1
  await send({
    port, messages: count, sessions: Number(values.sessions), perConnection,
    client(connection) {
      const sender = senderOf(known ? 0 : newest++)
      return { sender, data: mail.data(sender, connection, sealer) }
    },
  })
}

async function measure(running: Running, mail: SignedMail, known: boolean): Promise<number> {
  await load(running, mail, { count: Math.max(200, messages / 10), known })
  const before = cpuMs(running.gateway.pid)
  await load(running, mail, { count: messages, known })
  return (cpuMs(running.gateway.pid) - before) / messages
}

interface Stored {
  readonly id: string
  readonly record: Readonly<Record<string, unknown>>
}

/** What the gateway has decided, newest last; it writes once a second. */
async function decisionsOf({ gateway, row }: Running): Promise<readonly Stored[]> {
  const database = new DatabaseSync(join(gateway.directory, 'state', DATABASE_FILE), { readOnly: true })
  try {
    const read = database.prepare('SELECT id, record FROM decisions ORDER BY at DESC LIMIT 2000')
    await until(`decisions of ${row.name}`, () => read.all().length > 0)
    return read.all().map(({ id, record }) => ({ id: String(id), record: JSON.parse(String(record)) as Stored['record'] })).reverse()
  } finally {
    database.close()
  }
}

/** That a row did what its name says. A worker takes up a model within some seconds. */
async function prove(running: Running, mail: SignedMail): Promise<void> {
  await writeModel(join(running.gateway.directory, 'state', MODEL_FILE), MODEL)
  await until(`${running.row.name} does what its name says`, async () => (await lacking(running, mail)).length === 0, { detail: () => running.gateway.output() })
}

async function lacking(running: Running, mail: SignedMail): Promise<readonly RegExp[]> {
  await load(running, mail, { count: 20, known: false })
  const last = (await decisionsOf(running)).at(-1)
  const found = (last?.record['checks'] ?? []) as readonly { readonly check: string; readonly result: string }[]
  const words = found.map(({ check, result }) => `${check} ${result}`)
  return running.row.finds.filter((wanted) => !words.some((word) => wanted.test(word)))
}

/** CPU ms to keep a decision, where as many are kept as there are by default. */
function storingMs(decisions: readonly Stored[]): number {
  const database = openDatabase(temporaryDirectory('decisions'))
  const silent = (): void => undefined
  const store = new DecisionStore(database, { debug: silent, info: silent, warn: silent, error: silent })
  const newId = createDecisionIds()
  let at = Date.now()
  const keep = (count: number): void => {
    for (let i = 0; i < count; i++) store.add({ id: newId(), at: at++, action: 'accept', record: decisions[i % decisions.length]?.record ?? {} })
    store.flush()
  }
  for (let i = 0; i < STORED; i += 5000) keep(5000)
  const before = process.cpuUsage()
  for (let i = 0; i < 20; i++) keep(500)
  const { user, system } = process.cpuUsage(before)
  database.close()
  return (user + system) / 1000 / 10_000
}

function median(of: readonly number[]): number {
  return [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? NaN
}

async function measureAll(all: readonly Running[], mail: SignedMail): Promise<ReadonlyMap<Running, readonly [known: number, unknown: number]>> {
  const figures = new Map(all.map((one) => [one, { known: [] as number[], new: [] as number[] }]))
  for (const one of all) for (const known of [true, false]) await load(one, mail, { count: warmUp, known })
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [one, list] of figures) {
      list.known.push(await measure(one, mail, true))
      list.new.push(await measure(one, mail, false))
    }
  }
  return new Map([...figures].map(([one, list]) => [one, [median(list.known), median(list.new)]]))
}

function tell(all: readonly Running[], size: string, figures: Awaited<ReturnType<typeof measureAll>>): void {
  const base = figures.get(all[0]!) ?? [NaN, NaN]
  const cells = (ms: number, of: number): string => `${ms.toFixed(3)} | ${ms >= of ? '+' : ''}${(ms - of).toFixed(3)} | × ${(ms / of).toFixed(2)}`
  console.log(`\n| ${size} | known, ms | more | ratio | new, ms | more | ratio |\n|---|---|---|---|---|---|---|`)
  for (const [{ row }, [known, unknown]] of figures) console.log(`| ${row.name} | ${cells(known, base[0])} | ${cells(unknown, base[1])} |`)
}

const sinkPort = await freePort()
const sink = start(['smtp-sink', '-4', '-u', 'nobody', '-m', '500', `127.0.0.1:${sinkPort}`, '500'])
await untilGreets('smtp-sink', sink, { port: sinkPort })
console.log(`${messages} messages after ${warmUp} of either kind that do not count, ${values.sessions} sessions, workers: ${values.workers}, median of ${values.rounds} rounds, CPU ms a message`)
const rows = ROWS.filter(({ name }, i) => i === 0 || name.includes(values.only))
for (const [i, { name, source, messages: written }] of SIZES.entries()) {
  const mail = new SignedMail(written)
  console.log(`\n${name}: ${mail.count} messages, ${source}`)
  const dnsPort = await freePort()
  const dns = start([process.execPath, join(import.meta.dirname, 'inbound-dns.ts'), '--port', String(dnsPort), '--key', mail.publicKey])
  await until('the DNS server is ready', () => dns.output().includes('ready'), { detail: () => dns.output() })
  const all: Running[] = []
  for (const row of rows) all.push(await startRow(row, { dns: dnsPort, sink: sinkPort }))
  for (const one of all) await prove(one, mail)
  tell(all, name, await measureAll(all, mail))
  if (i === 0) {
    console.log(`\n| storing one decision, beside ${STORED} | ms | bytes |\n|---|---|---|`)
    for (const one of all) {
      if (one.row.name !== 'standard: everything' && one !== all[0]) continue
      const decisions = await decisionsOf(one)
      console.log(`| ${one.row.name} | ${storingMs(decisions).toFixed(3)} | ${(decisions.reduce((sum, { record }) => sum + JSON.stringify(record).length, 0) / decisions.length).toFixed(0)} |`)
    }
  }
  for (const one of all) await one.gateway.stop()
  await dns.stop()
}
await sink.stop()
