/**
 * Asks one server of a zone for what it knows itself: without recursion, and
 * only what it answers with authority counts (RFC 1034 §4.3.1, §6.2.1). Over
 * UDP, over TCP where the answer is too long, without EDNS where the server
 * does not know it. For questions about our own records, one at a time; mail is
 * judged by way of the resolver.
 *
 * `alias`: the name leads to another one, of which this server says nothing.
 * `unreachable`: this machine has no way to the address (no IPv6, mostly), which
 * says nothing of the server. Never rejects.
 */
import { randomInt } from 'node:crypto'
import { readAnswer, type Alias } from './answer.ts'
import { SYSTEM_CLOCK, type Clock } from './clock.ts'
import { askOverTcp, askOverUdp, nameServer, type Exchanged, type ServerAddress } from './exchange.ts'
import { encodeQuery, headOfAnswer, type Head } from './message.ts'
import { normalName } from './name.ts'
import type { Absence, Failure, Records, RecordType } from './resolver.ts'

export type AuthoritativeAnswer<T extends RecordType> = Records<T> | Absence | Alias | Failure | { readonly status: 'unreachable'; readonly cause: string }

export interface AuthoritativeOptions {
  /** of one exchange */
  readonly timeoutMs?: number
  readonly tries?: number
  readonly clock?: Clock
}

const TIMEOUT_MS = 5000
const TRIES = 2
const NO_WAY = /\b(?:ENETUNREACH|EADDRNOTAVAIL|EAFNOSUPPORT)\b/

interface Asking<T extends RecordType> {
  readonly server: ServerAddress
  readonly name: string
  readonly type: T
}

export async function askAuthoritative<T extends RecordType>(asking: Asking<T>, options: AuthoritativeOptions = {}): Promise<AuthoritativeAnswer<T>> {
  const name = normalName(asking.name)
  if (name === undefined) return { status: 'nxdomain', ttlSeconds: 0, authenticated: false }
  let cause = ''
  for (let tries = options.tries ?? TRIES; tries > 0; tries--) {
    const answer = await attempt({ ...asking, name }, options)
    if (answer.status !== 'timeout') return answer
    cause = answer.cause
  }
  return { status: NO_WAY.test(cause) ? 'unreachable' : 'timeout', cause }
}

async function attempt<T extends RecordType>(asking: Asking<T>, options: AuthoritativeOptions): Promise<AuthoritativeAnswer<T>> {
  for (const edns of [true, false]) {
    const exchanged = await exchange(asking, edns, options)
    const where = `${asking.name} ${asking.type}: ${nameServer(asking.server)}`
    if (exchanged.status !== 'answer') return { status: 'timeout', cause: `${where}: ${exchanged.status === 'lost' ? exchanged.cause : 'too many wrong answers'}` }
    const answer = answerOf(asking, exchanged)
    if (answer.status === 'rejected' && edns) continue
    if ('cause' in answer) return { status: 'servfail', cause: `${where}: ${answer.cause}` }
    return answer
  }
  throw new Error('the last attempt returns')
}

function answerOf<T extends RecordType>({ name, type }: Asking<T>, { bytes, head }: { readonly bytes: Buffer; readonly head: Head }): ReturnType<typeof readAnswer<T>> {
  if (head.truncated) return { status: 'failed', cause: 'an answer that is truncated over TCP too' }
  const answer = readAnswer(bytes, head, { name, type, links: 0 })
  // A failure says more than that it has no authority.
  if (!head.authoritative && !('cause' in answer)) return { status: 'failed', cause: 'it answers without authority: it is no server of the zone' }
  return answer
}

async function exchange<T extends RecordType>({ server, name, type }: Asking<T>, edns: boolean, { timeoutMs = TIMEOUT_MS, clock = SYSTEM_CLOCK }: AuthoritativeOptions): Promise<Exchanged> {
  const controller = new AbortController()
  const callOff = clock.after(timeoutMs, () => controller.abort(`no answer in ${timeoutMs} ms`))
  const send = (over: typeof askOverUdp): Promise<Exchanged> => {
    const query = { id: randomInt(0x10000), name, type, edns, recursive: false }
    return over({ server, query: encodeQuery(query), head: (bytes) => headOfAnswer(bytes, query), signal: controller.signal })
  }
  try {
    const first = await send(askOverUdp)
    return first.status === 'crowded' || (first.status === 'answer' && first.head.truncated) ? await send(askOverTcp) : first
  } finally {
    callOff()
  }
}
