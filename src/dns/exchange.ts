/**
 * One question to one server: sent once, and the first message that is an
 * answer to it. Whatever else comes back is ignored and waited on (RFC 5452
 * §9.1). Never rejects.
 *
 * Each query over UDP has a socket of its own, so that each has a source port
 * that the kernel chose at random (RFC 5452 §9.2) and that is closed when the
 * answer is there; a pool would save some 15 µs a query and offer a forger a
 * port for longer. The socket is connected: the kernel drops what comes from
 * another address or port, and says at once when nobody listens there.
 */
import { createSocket, type Socket } from 'node:dgram'
import { connect } from 'node:net'
import { framed, LengthFraming } from './length-framing.ts'
import type { Head } from './message.ts'

export interface ServerAddress {
  /** an IP address, in IPv6 with a scope where it needs one */
  readonly host: string
  readonly port: number
}

export interface Exchange {
  readonly server: ServerAddress
  readonly query: Buffer
  /** the head of a message that answers the query */
  readonly head: (bytes: Buffer) => Head | undefined
  /** ends the wait; its reason is the cause */
  readonly signal: AbortSignal
}

export type Exchanged =
  | { readonly status: 'answer'; readonly bytes: Buffer; readonly head: Head }
  /** somebody sends one wrong answer after the other; over TCP they cannot */
  | { readonly status: 'crowded' }
  | { readonly status: 'lost'; readonly cause: string }

/** Wrong answers to one query. Somebody who guesses is not given 65,536 tries, nor our time. */
const MAX_STRAYS = 32

export function nameServer({ host, port }: ServerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

export function askOverUdp({ server, query, head, signal }: Exchange): Promise<Exchanged> {
  return new Promise((resolve) => {
    let socket: Socket | undefined
    let strays = 0
    const finish = (outcome: Exchanged): void => {
      signal.removeEventListener('abort', onAbort)
      socket?.removeAllListeners().on('error', () => undefined).close()
      socket = undefined
      resolve(outcome)
    }
    const fail = (error: Error): void => finish(lost(causeOf(error)))
    const onAbort = (): void => finish(lost(String(signal.reason)))
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort)
    try {
      // The host is an address: nothing is looked up, least of all through the resolver of the system.
      socket = createSocket({ type: server.host.includes(':') ? 'udp6' : 'udp4', lookup: (host, _options, found) => found(null, host, 0) })
      socket.on('error', fail)
      socket.on('message', (bytes) => {
        const found = head(bytes)
        if (found) finish({ status: 'answer', bytes, head: found })
        else if (++strays > MAX_STRAYS) finish({ status: 'crowded' })
      })
      // The types do not know that it is called with the error, too.
      socket.connect(server.port, server.host, (error?: Error | null) => {
        if (error) fail(error)
        else socket?.send(query, (problem) => problem && fail(problem))
      })
    } catch (error) {
      fail(error as Error)
    }
  })
}

/** RFC 7766: one query to a connection; the gateway needs TCP so rarely that keeping one open would not pay. */
export function askOverTcp({ server, query, head, signal }: Exchange): Promise<Exchanged> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(lost(String(signal.reason)))
    const framing = new LengthFraming()
    let strays = 0
    const socket = connect({ host: server.host, port: server.port, noDelay: true })
    const finish = (outcome: Exchanged): void => {
      signal.removeEventListener('abort', onAbort)
      socket.removeAllListeners().on('error', () => undefined).destroy()
      resolve(outcome)
    }
    const onAbort = (): void => finish(lost(`over TCP: ${String(signal.reason)}`))
    signal.addEventListener('abort', onAbort)
    socket.on('error', (error) => finish(lost(`over TCP: ${causeOf(error)}`)))
    socket.on('close', () => finish(lost(`over TCP: the server closed the connection ${framing.isInside ? 'within' : 'before'} its answer`)))
    socket.on('data', (chunk) => {
      for (const bytes of framing.push(chunk)) {
        const found = head(bytes)
        if (found) return finish({ status: 'answer', bytes, head: found })
        if (++strays > MAX_STRAYS) return finish(lost('over TCP: the server answers everything but the question'))
      }
    })
    socket.write(framed(query))
  })
}

function causeOf(error: NodeJS.ErrnoException): string {
  return error.code === 'ECONNREFUSED' ? 'nobody listens there (ECONNREFUSED)' : error.message
}

function lost(cause: string): Exchanged {
  return { status: 'lost', cause }
}
