/**
 * The judgement of inbound mail as its users have it: Postern in a process of
 * its own, a DNS server of ours as its only resolver, real clients that come
 * with the addresses the test gives them (by PROXY headers of a trusted peer),
 * Maildirs behind it, and a state directory that is looked into.
 *
 *     const stage = await startStage({ policy: { preset: 'standard' }, zone: ZONE })
 *     const sent = await stage.swaks('192.0.2.7', { data: LETTER })
 *     assert.match(sent.last, /^250 /)
 *
 * Waiting is polling with a deadline; nothing sleeps.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { startDnsServer, type DnsServer, type DnsServerOptions } from './dns-server.ts'
import { startGateway, type Gateway, type LogLine } from './gateway.ts'
import { Mailbox } from './peers/mailbox.ts'
import { run, temporaryDirectory, until } from './process.ts'
import { Dialog } from './smtp-dialog.ts'
import type { ZoneData } from './zone-map.ts'

type Mapping = Readonly<Record<string, unknown>>

export interface StageOptions {
  /** the mapping under `policy` */
  readonly policy?: Mapping
  readonly zone: ZoneData
  /** further keys under `dns`; a short time-out, once, where nothing is said */
  readonly dns?: Mapping
  readonly server?: DnsServerOptions
  /** nobody listens at the resolver's address */
  readonly deadDns?: boolean
  /** further keys of the document */
  readonly root?: Mapping
  /** further keys of the listener */
  readonly listener?: Mapping
  /** the hop; Maildirs of every local part otherwise */
  readonly hop?: Mapping
  /** further ones, beside `inbound` and `hop` */
  readonly listeners?: readonly Mapping[]
  readonly hops?: Mapping
}

export interface Mail {
  readonly from?: string
  readonly to?: string
  readonly helo?: string
  readonly data?: string
  /** further options of swaks */
  readonly options?: readonly string[]
}

export interface Sent {
  readonly code: number | null
  /** each line that the server said, as it came */
  readonly replies: readonly string[]
  /** the reply that decided: the last before QUIT was answered */
  readonly last: string
  /** what stands in parentheses at its end */
  readonly id: string
  readonly output: string
}

export interface Decision {
  readonly id: string
  readonly action: string
  readonly record: {
    readonly transaction: Mapping
    readonly checks: readonly { readonly check: string; readonly result: string; readonly detail: string; readonly dns: readonly { readonly question: string; readonly status: string; readonly answer: readonly string[] }[] }[]
    readonly verdict?: { readonly action: string; readonly by?: string; readonly score: number; readonly effects: readonly { readonly check: string; readonly result: string; readonly effect: string; readonly exceptions: readonly string[] }[] }
    readonly shadow?: { readonly action: string; readonly by?: string }
    readonly changes: readonly string[]
  }
}

export interface Stage {
  readonly gateway: Gateway
  readonly dns: DnsServer
  readonly directory: string
  readonly port: number
  mailbox(user?: string): Mailbox
  /** sends with swaks, as a client with this address */
  swaks(client: string, mail?: Mail): Promise<Sent>
  /** a connection of a client with this address; nothing is read yet */
  dialog(client: string): Promise<Dialog>
  /** waits until the decision is in the state database */
  decision(id: string): Promise<Decision>
  decisions(): readonly Decision[]
  /** waits for the log line of a transaction, or of a client that was refused */
  logged(id: string): Promise<LogLine>
  /** names in `state/quarantine` */
  quarantined(): readonly string[]
  /** puts another `policy`, and what else is given, into the configuration file and sends SIGHUP; waits until it is in place */
  reload(policy: Mapping, more?: Mapping): Promise<void>
  /** the same without waiting */
  hangUp(policy: Mapping, more?: Mapping): void
  stop(): Promise<void>
}

export const LETTER = ['From: Anna <anna@sender.example>', 'To: alice@hop.example', 'Date: Sat, 21 Nov 2026 10:00:00 +0000', 'Message-ID: <1@sender.example>', 'Subject: Hello', '', 'One line.', '.', '..two dots', 'caf\xe9', ''].join('\r\n')
const SETTLED = /^(?:220|250|354)[ -]/

export async function startStage(options: StageOptions): Promise<Stage> {
  const dns = await startDnsServer(options.zone, options.server)
  if (options.deadDns === true) await dns.die()
  const directory = temporaryDirectory('policy')
  mkdirSync(join(directory, 'mail'))
  const gateway = await startGateway({
    ...options.root,
    dns: { servers: [`127.0.0.1:${dns.port}`], timeout: '2s', tries: 1, ...options.dns },
    policy: { preset: 'standard', ...options.policy },
    listeners: [{ name: 'inbound', trust: { proxy: ['127.0.0.1'] }, next: 'hop', ...options.listener }, ...(options.listeners ?? [])],
    hops: { hop: options.hop ?? { maildir: join(directory, 'mail/{local}') }, ...options.hops },
  })
  const address = gateway.address('inbound')
  if (!('port' in address)) throw new Error('the listener has no port')
  const stage = new RunningStage({ gateway, dns, directory, port: address.port })
  await stage.listsAreProved(options.policy)
  return stage
}

class RunningStage implements Stage {
  readonly gateway: Gateway
  readonly dns: DnsServer
  readonly directory: string
  readonly port: number
  #letters = 0

  constructor({ gateway, dns, directory, port }: Pick<Stage, 'gateway' | 'dns' | 'directory' | 'port'>) {
    this.gateway = gateway
    this.dns = dns
    this.directory = directory
    this.port = port
  }

  /** Each worker has said of each list what it makes of it: before, nothing is believed. */
  async listsAreProved(policy: Mapping | undefined): Promise<void> {
    const lists = (policy?.['dnsbl'] as { readonly lists?: readonly unknown[] } | undefined)?.lists ?? []
    const said = (): number => this.gateway.log().filter(({ msg }) => /^the DNS list (?:answers as it should|is set aside)/.test(String(msg))).length
    await until(`${lists.length} DNS lists are looked at`, () => said() >= lists.length, { detail: () => this.gateway.output() })
  }

  mailbox(user = 'alice'): Mailbox {
    return new Mailbox(join(this.directory, 'mail', user))
  }

  async swaks(client: string, mail: Mail = {}): Promise<Sent> {
    const { from = 'anna@sender.example', to = 'alice@hop.example', helo = 'mail.sender.example', data = LETTER, options = [] } = mail
    const file = join(this.directory, `letter${++this.#letters}`)
    // swaks ends what it sends with a line end of its own.
    writeFileSync(file, data.replace(/\r\n$/, ''), 'latin1')
    const family = client.includes(':') ? 'TCP6' : 'TCP4'
    const proxy = ['--proxy-version', '1', '--proxy-family', family, '--proxy-source', client, '--proxy-source-port', '4711', '--proxy-dest', family === 'TCP6' ? '2001:db8::25' : '198.51.100.1', '--proxy-dest-port', '25']
    const { code, output } = await run(['swaks', '--server', '127.0.0.1', '--port', String(this.port), '--helo', helo, '--from', from === '' ? '<>' : from, '--to', to, '--data', `@${file}`, ...proxy, ...options])
    return sentOf(code, output)
  }

  async dialog(client: string): Promise<Dialog> {
    const dialog = await Dialog.open({ port: this.port })
    await dialog.send(`PROXY TCP4 ${client} 198.51.100.1 4711 25\r\n`)
    return dialog
  }

  decisions(): readonly Decision[] {
    const file = join(this.gateway.directory, 'state/postern.db')
    const database = new DatabaseSync(file, { readOnly: true, timeout: 2000 })
    try {
      return database.prepare('SELECT id, action, record FROM decisions ORDER BY at').all().map(({ id, action, record }) => ({ id: String(id), action: String(action), record: JSON.parse(String(record)) as Decision['record'] }))
    } finally {
      database.close()
    }
  }

  async decision(id: string): Promise<Decision> {
    let found: Decision | undefined
    await until(`decision ${id} in the database`, () => (found = this.decisions().find((one) => one.id === id)) !== undefined, { detail: () => this.gateway.output() })
    return found as Decision
  }

  logged(id: string): Promise<LogLine> {
    return this.gateway.logged(`of ${id}`, (line) => line['id'] === id && (line['msg'] === 'message' || line['msg'] === 'client refused'))
  }

  quarantined(): readonly string[] {
    const folder = join(this.gateway.directory, 'state/quarantine')
    return existsSync(folder) ? readdirSync(folder).sort() : []
  }

  async reload(policy: Mapping, more: Mapping = {}): Promise<void> {
    const reloaded = (): number => this.gateway.log().filter(({ msg }) => msg === 'configuration reloaded').length
    const before = reloaded()
    this.hangUp(policy, more)
    await until('the reload', () => reloaded() > before, { detail: () => this.gateway.output() })
  }

  hangUp(policy: Mapping, more: Mapping = {}): void {
    const file = join(this.gateway.directory, 'postern.yaml')
    const whole = JSON.parse(readFileSync(file, 'utf8')) as Mapping
    writeFileSync(file, JSON.stringify({ ...whole, ...more, policy }, null, 2))
    process.kill(this.gateway.pid, 'SIGHUP')
  }

  async stop(): Promise<void> {
    await this.gateway.stop()
    // One that died in the test is not there to be stopped.
    await this.dns.stop()
  }
}

/** swaks marks what the server says: `<-` where it went well, `<**` where not; behind TLS with `~`. */
export function sentOf(code: number | null, output: string): Sent {
  const replies = [...output.matchAll(/^<(?:-|~|\*\*|~\*) {1,2}(\d{3}[ -].*)$/gm)].map(([, reply = '']) => reply.trimEnd())
  const final = replies.filter((reply) => !reply.startsWith('221'))
  const odd = final.findLast((reply) => !SETTLED.test(reply))
  const last = odd ?? final.at(-1) ?? ''
  return { code, replies, last, id: /\(([0-9A-Z]+)\)$/.exec(last)?.[1] ?? '', output }
}
