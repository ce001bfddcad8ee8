/**
 * `postern health`: asks each listener of the configuration for its greeting,
 * as a container's health check or a monitor does. Exit code 0 where every one
 * answers 220, 75 where one does not, 66 and 78 where the configuration cannot
 * be read or names nothing to ask.
 *
 * A wildcard address is asked on loopback. A listener that expects a PROXY
 * header from there gets `PROXY UNKNOWN`; implicit TLS is spoken without a look
 * at the certificate, which is for others to judge.
 */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { loadConfiguration, type LoadOptions } from '../config/load.ts'
import { networkMatcher } from '../config/networks.ts'
import { describeError } from '../config/problem.ts'
import type { ListenerSettings, Settings, SocketAddress } from '../config/settings.ts'
import { escapeControls } from '../observe/readable.ts'
import { describeAddress } from '../supervisor/service.ts'
import { EXIT } from './exit-codes.ts'
import type { ConfigOption } from './config-option.ts'

export interface HealthIo extends Omit<LoadOptions, 'file'> {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** for each listener; default 10 s */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 10_000
/** RFC 5321 §4.5.3.1.5 has 512 for a reply line; a greeting of several lines is no reason to read for ever. */
const MAX_GREETING = 4096

export type Answer =
  | { readonly status: 'ok'; readonly greeting: string }
  | { readonly status: 'failed'; readonly cause: string }

export async function runHealth(options: ConfigOption, io: HealthIo): Promise<number> {
  const loaded = loadConfiguration({ ...io, file: options.config, purpose: 'command' })
  if (loaded.status === 'unreadable') {
    io.err(`postern: ${loaded.source}: ${loaded.cause}\n`)
    return EXIT.noInput
  }
  if (loaded.status === 'invalid') {
    for (const error of loaded.errors) io.err(`postern: ${describeError(error)}\n`)
    return EXIT.configuration
  }
  const asked = askable(loaded.settings)
  if (asked.length === 0) {
    io.err('postern: every listener has port 0, so that nobody but the running gateway knows where it is\n')
    return EXIT.configuration
  }
  const timeoutMs = io.timeoutMs ?? TIMEOUT_MS
  const answers = await Promise.all(asked.map(({ listener, address }) => ask(listener, address, timeoutMs)))
  for (const [index, { listener, address }] of asked.entries()) {
    const answer = answers[index]
    if (answer !== undefined) report(io, `${listener.name} ${describeAddress(address)}`, answer)
  }
  return answers.every((answer) => answer.status === 'ok') ? EXIT.ok : EXIT.temporary
}

function report(io: HealthIo, where: string, answer: Answer): void {
  if (answer.status === 'ok') io.out(`${where}: ${escapeControls(answer.greeting)}\n`)
  else io.err(`${where}: ${escapeControls(answer.cause)}\n`)
}

/** The first address of each listener, as it can be reached from here. */
function askable(settings: Settings): readonly { listener: ListenerSettings; address: SocketAddress }[] {
  return settings.listeners.flatMap((listener) => {
    const address = listener.listen.find((candidate) => candidate.kind === 'unix' || candidate.port !== 0)
    return address === undefined ? [] : [{ listener, address: fromHere(address) }]
  })
}

function fromHere(address: SocketAddress): SocketAddress {
  if (address.kind === 'unix') return address
  if (address.host === '0.0.0.0') return { ...address, host: '127.0.0.1' }
  return address.host === '::' ? { ...address, host: '::1' } : address
}

async function ask(listener: ListenerSettings, address: SocketAddress, timeoutMs: number): Promise<Answer> {
  const socket = address.kind === 'unix' ? connect(address.path) : connect(address.port, address.host)
  try {
    return await new Promise<Answer>((resolve) => {
      const timer = setTimeout(() => resolve({ status: 'failed', cause: `no greeting within ${timeoutMs} ms` }), timeoutMs)
      const settle = (answer: Answer): void => {
        clearTimeout(timer)
        resolve(answer)
      }
      socket.once('error', (error) => settle({ status: 'failed', cause: error.message }))
      socket.once('connect', () => converse(listener, socket, settle))
    })
  } finally {
    socket.destroy()
  }
}

function converse(listener: ListenerSettings, socket: Socket, settle: (answer: Answer) => void): void {
  // We reach it from an address of this machine, which is its own address as well.
  if (networkMatcher(listener.trust.proxy)(socket.localAddress)) socket.write('PROXY UNKNOWN\r\n')
  if (listener.tls?.mode !== 'implicit') return readGreeting(socket, settle)
  const secure = connectTls({ socket, rejectUnauthorized: false })
  secure.once('error', (error: Error) => settle({ status: 'failed', cause: `TLS: ${error.message}` }))
  readGreeting(secure, settle)
}

function readGreeting(stream: Socket, settle: (answer: Answer) => void): void {
  let text = ''
  stream.setEncoding('latin1')
  stream.on('data', (chunk: string) => {
    text += chunk
    const end = text.indexOf('\n')
    if (end < 0 && text.length < MAX_GREETING) return
    const greeting = text.slice(0, end < 0 ? MAX_GREETING : end).trimEnd()
    if (!/^220[ -]/.test(greeting)) return settle({ status: 'failed', cause: `it says ${greeting}` })
    stream.end('QUIT\r\n')
    settle({ status: 'ok', greeting })
  })
  stream.once('close', () => settle({ status: 'failed', cause: 'it closed the connection without a greeting' }))
}
