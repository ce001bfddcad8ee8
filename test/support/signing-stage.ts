/**
 * An outbound gateway that signs, as its users have it: Postern in a process of
 * its own, keys on disk, a DNS server with their records, and a server of ours
 * behind it that keeps what comes.
 *
 *     const stage = await startSigner({ keys: ['s1._domainkey.home.example'], signing: (file) => ({ keys: […] }) })
 *     await stage.signatures.passes((await stage.arrived()).data, ['s1'])
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CaptureSink, type CapturedMessage } from './capture-sink.ts'
import { startDnsServer, type DnsServer, type DnsServerOptions } from './dns-server.ts'
import { startGateway, type Gateway } from './gateway.ts'
import { run, temporaryDirectory, until } from './process.ts'
import { SignatureCheck, writeKey } from './signature-check.ts'
import { sentOf, type Sent } from './policy-stage.ts'

type Mapping = Readonly<Record<string, unknown>>

export interface SignerOptions {
  /** names of records, as `s2026._domainkey.home.example`; where the selector has `ed` in it, the key is of Ed25519 */
  readonly keys: readonly string[]
  /** those of them that are in the DNS; default: all */
  readonly published?: readonly string[]
  /** the mapping under `signing`; `file` is where the key of that name lies */
  readonly signing: (file: (name: string) => string) => Mapping
  readonly dns?: DnsServerOptions
  /** whatever is asked for is answered only when the test says so */
  readonly heldDns?: boolean
  readonly listener?: Mapping
  readonly hop?: Mapping
  readonly root?: Mapping
}

export interface Signer {
  readonly gateway: Gateway
  readonly sink: CaptureSink
  readonly dns: DnsServer
  readonly signatures: SignatureCheck
  /** where the keys lie, each named after its record */
  readonly directory: string
  readonly port: number
  readonly record: (name: string) => string
  readonly file: (name: string) => string
  /** puts the record into the DNS */
  publish(name: string): void
  /** sends with swaks from this address of this machine, byte for byte */
  swaks(message: string, how?: { readonly from?: string; readonly to?: string; readonly interface?: string }): Promise<Sent>
  /** waits for one message at the sink, and takes it */
  arrived(): Promise<CapturedMessage>
  stop(): Promise<void>
}

export function letter(author: string): string {
  return [`From: ${author}`, 'To: alice@hop.example', 'Date: Sat, 21 Nov 2026 10:00:00 +0000', 'Message-ID: <1@laptop.example>', 'Subject: Hello,', '\tfolded  twice', '', 'One line.', '.', '..two dots', 'blank at the end ', 'caf\xe9', '', ''].join('\r\n')
}

export async function startSigner(options: SignerOptions): Promise<Signer> {
  const directory = temporaryDirectory('signer')
  mkdirSync(join(directory, 'keys'))
  const file = (name: string): string => join(directory, 'keys', `${name}.pem`)
  const records = new Map(options.keys.map((name) => [name, writeKey(file(name), name.split('.')[0]?.includes('ed') === true ? 'ed25519' : 'rsa').record]))
  const record = (name: string): string => {
    const found = records.get(name)
    if (found === undefined) throw new Error(`no key ${name}`)
    return found
  }
  const zone = Object.fromEntries((options.published ?? options.keys).map((name) => [name, { TXT: [record(name)] }]))
  const [sink, dns, signatures] = await Promise.all([CaptureSink.start(), startDnsServer(zone, options.dns), SignatureCheck.start(Object.fromEntries(records))])
  if (options.heldDns === true) dns.misbehave('*', 'hold')
  const gateway = await startGateway({
    dns: { servers: [`127.0.0.1:${dns.port}`], timeout: options.heldDns === true ? '30s' : '2s', tries: 1 },
    ...options.root,
    signing: options.signing(file),
    listeners: [{ name: 'sign', role: 'outbound', next: 'hop', ...options.listener }],
    hops: { hop: { smtp: sink.target, ...options.hop } },
  })
  const address = gateway.address()
  const port = 'port' in address ? address.port : 0
  let letters = 0
  return {
    gateway, sink, dns, signatures, directory, port, record, file,
    publish: (name) => dns.set(name, { TXT: [record(name)] }),
    async swaks(message, { from = 'anna@home.example', to = 'alice@hop.example', interface: local } = {}) {
      const path = join(directory, `letter${++letters}`)
      // swaks ends what it sends with a line end of its own.
      writeFileSync(path, message.replace(/\r\n$/, ''), 'latin1')
      const { code, output } = await run(['swaks', '--server', '127.0.0.1', '--port', String(port), '--helo', 'other.example', '--from', from === '' ? '<>' : from, '--to', to, '--data', `@${path}`, ...(local === undefined ? [] : ['--local-interface', local])])
      return sentOf(code, output)
    },
    async arrived() {
      await sink.waitFor(1)
      const [message, ...more] = sink.take()
      if (message === undefined || more.length > 0) throw new Error(`${more.length + 1} messages came`)
      return message
    },
    async stop() {
      await gateway.stop()
      await sink.stop()
      // One that died in the test is not there to be stopped.
      await dns.stop()
      await signatures.stop()
    },
  }
}

/** Changes the configuration file and sends SIGHUP; waits until all is in place, or the change is refused. */
export async function reload(gateway: Gateway, change: (whole: Mapping) => Mapping = (whole) => whole): Promise<'reloaded' | 'refused'> {
  const file = join(gateway.directory, 'postern.yaml')
  const ends = (): string[] => gateway.log().map(({ msg }) => String(msg)).filter((msg) => msg === 'configuration reloaded' || msg.endsWith('the old one stays'))
  const before = ends().length
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as Mapping), null, 2))
  process.kill(gateway.pid, 'SIGHUP')
  await until('the end of the reload', () => ends().length > before, { detail: () => gateway.output() })
  return ends().at(-1) === 'configuration reloaded' ? 'reloaded' : 'refused'
}
