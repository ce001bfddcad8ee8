/**
 * Rspamd over HTTP: POST /checkv2 with the facts of the session in header
 * fields, over a bounded number of connections that stay. TCP or a unix socket,
 * with TLS where a proxy gives it. The password is sent and never shown.
 */
import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type ClientRequestArgs, type IncomingMessage, type OutgoingHttpHeaders, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { NetConnectOpts } from 'node:net'
import { thrownText } from '../../auth/stranger-text.ts'
import { BoundedBytes } from './bounded-bytes.ts'
import { Dialler } from './dial.ts'
import { failed, type Attempt, type EngineAdapter, type EngineContext, type EngineMessage } from './engine.ts'
import { failure } from './engine-words.ts'
import { PatientSocket } from './patient-socket.ts'
import { MAX_ANSWER_BYTES, parseRspamdAnswer, rspamdError } from './rspamd-answer.ts'
import type { RspamdSettings } from './settings.ts'
import { wholeMessage, writeOut } from './write-out.ts'

type Settings = Pick<RspamdSettings, 'address' | 'tls' | 'passwordFile' | 'scans'>

/** Rspamd closes an idle one after a minute or less; ours goes first. */
const IDLE_MS = 15_000
const MAX_FIELD_CHARACTERS = 998
/** More than that say nothing new; a header has bounds on the other side as well. */
const MAX_RECIPIENTS = 200

export function createRspamd(settings: Settings, context: Pick<EngineContext, 'readPassword'>): EngineAdapter {
  return new Rspamd(settings, context)
}

/** An answer that comes before the message is taken, and the connection closed with it, is heard. */
class PatientAgent extends HttpAgent {
  override createConnection(options: ClientRequestArgs): PatientSocket {
    return new PatientSocket().connect(options as NetConnectOpts).setNoDelay()
  }
}

type Answered =
  | { readonly status: 'answer'; readonly code: number; readonly text: string; readonly sentAll: boolean }
  /** `stale`: on a connection that had been idle, before anything came back */
  | { readonly status: 'lost'; readonly cause: string; readonly stale: boolean }
  | { readonly status: 'unreadable'; readonly cause: string }

interface Asked {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  readonly message?: EngineMessage
  readonly signal: AbortSignal
}

class Rspamd implements EngineAdapter {
  readonly seesPrefix = true
  readonly #settings: Settings
  readonly #readPassword: EngineContext['readPassword']
  readonly #agent: HttpAgent
  readonly #dialler: Dialler

  constructor(settings: Settings, { readPassword }: Pick<EngineContext, 'readPassword'>) {
    this.#settings = settings
    this.#readPassword = readPassword
    const { scans, tls, address } = settings
    // One more than scans, for `ping`.
    const bounds = { keepAlive: true, maxSockets: scans + 1, maxFreeSockets: Math.min(scans, 4), timeout: IDLE_MS, scheduling: 'lifo' } as const
    this.#agent = tls === undefined ? new PatientAgent(bounds) : new HttpsAgent(bounds)
    this.#dialler = new Dialler(address, tls)
  }

  async scan(message: EngineMessage, signal: AbortSignal): Promise<Attempt> {
    const password = await this.#password()
    if (password.status === 'unusable') return failed(password.problem, 'answered')
    const headers = { ...sessionFields(message), ...password.fields }
    const asked: Asked = { method: 'POST', path: '/checkv2', headers, message, signal }
    let answered = await this.#ask(asked)
    // It had closed the connection when we took it up again: that is no refusal.
    if (answered.status === 'lost' && answered.stale && !signal.aborted) answered = await this.#ask(asked)
    return judged(answered)
  }

  async ping(signal: AbortSignal): Promise<string | undefined> {
    const password = await this.#password()
    if (password.status === 'unusable') return password.problem
    const asked: Asked = { method: 'GET', path: '/ping', headers: password.fields, signal }
    let answered = await this.#ask(asked)
    if (answered.status === 'lost' && answered.stale && !signal.aborted) answered = await this.#ask(asked)
    if (answered.status !== 'answer') return answered.cause
    if (answered.code !== 200) return `it answers /ping with ${answered.code}`
    return /^pong\s*$/.test(answered.text) ? undefined : 'it answers /ping with something else than pong'
  }

  close(): void {
    this.#agent.destroy()
  }

  async #password(): Promise<{ status: 'ok'; fields: OutgoingHttpHeaders } | { status: 'unusable'; problem: string }> {
    const { passwordFile } = this.#settings
    if (passwordFile === undefined) return { status: 'ok', fields: {} }
    const read = await this.#readPassword(passwordFile)
    if (read.status === 'unusable') return { status: 'unusable', problem: `the password file of Rspamd is not used: ${read.problem}` }
    return { status: 'ok', fields: { Password: binary(read.password) } }
  }

  async #ask(asked: Asked): Promise<Answered> {
    const { address, tls } = this.#settings
    const secure = tls === undefined ? undefined : await this.#dialler.tlsOptions(tls)
    if (secure?.status === 'failed') return { status: 'lost', cause: secure.cause, stale: false }
    const place: RequestOptions = 'path' in address ? { socketPath: address.path } : { host: address.host, port: address.port }
    const options = { ...place, agent: this.#agent, method: asked.method, path: asked.path, headers: asked.headers }
    return await converse(secure === undefined ? httpRequest(options) : httpsRequest({ ...secure.options, ...options }), asked)
  }
}

function converse(request: ClientRequest, { message, signal }: Asked): Promise<Answered> {
  return new Promise((resolve) => {
    let over = false
    let heard = false
    let sentAll = false
    const finish = (answered: Answered): void => {
      if (over) return
      over = true
      signal.removeEventListener('abort', stop)
      // A connection on which half a message lies is not used again.
      if (answered.status !== 'answer' || !sentAll) request.destroy()
      resolve(answered)
    }
    const lost = (cause: string): void => finish({ status: 'lost', cause, stale: request.reusedSocket && !heard })
    const stop = (): void => lost('called off')
    signal.addEventListener('abort', stop, { once: true })
    request.on('error', (error) => lost(thrownText(error)))
    request.on('close', () => lost('the connection was lost'))
    request.on('response', (response) => {
      heard = true
      collect(response, { lost, done: (text) => finish({ status: 'answer', code: response.statusCode ?? 0, text, sentAll }) })
    })
    if (signal.aborted) stop()
    else if (message === undefined) {
      sentAll = true
      request.end()
    } else {
      writeOut(request, wholeMessage(message), { wanted: () => !over && !heard }).then((all) => {
        sentAll = all
        if (all) request.end()
      }, (error: unknown) => finish({ status: 'unreadable', cause: thrownText(error) }))
    }
  })
}

function collect(response: IncomingMessage, { lost, done }: { readonly lost: (cause: string) => void; readonly done: (text: string) => void }): void {
  const kept = new BoundedBytes(MAX_ANSWER_BYTES)
  response.on('data', (piece: Buffer) => {
    if (!kept.push(piece)) lost(`its answer is longer than ${MAX_ANSWER_BYTES} bytes`)
  })
  response.on('end', () => done(kept.bytes().toString('utf8')))
  response.on('error', (error) => lost(thrownText(error)))
  response.on('close', () => lost('its answer breaks off'))
}

function judged(answered: Answered): Attempt {
  switch (answered.status) {
    case 'lost': return failure(answered.cause, 'lost')
    case 'unreadable': return failure(`the message cannot be read: ${answered.cause}`, 'unclear')
    case 'answer': {
      const { code, text, sentAll } = answered
      const error = rspamdError(text)
      if (code !== 200) return failure(`Rspamd answers ${code}${error === '' ? '' : `: ${error}`}`, 'answered')
      const scored = parseRspamdAnswer(text)
      if (scored === undefined) return error === '' ? failure('it does not answer as Rspamd does', 'lost') : failure(`Rspamd says "${error}"`, 'answered')
      return sentAll ? scored : failure('Rspamd has answered before it had the message', 'answered')
    }
  }
}

function sessionFields({ body, prefix, client, sender, recipients, user, id }: EngineMessage): OutgoingHttpHeaders {
  const given: readonly (readonly [string, string | undefined])[] = [
    ['IP', client.ip], ['Helo', client.helo], ['Hostname', client.name], ['User', user], ['Queue-Id', id],
  ]
  const fields: OutgoingHttpHeaders = { 'Content-Type': 'message/rfc822', 'Content-Length': body.size + (prefix?.length ?? 0), 'From': fieldValue(`<${sender}>`) }
  for (const [name, value] of given) if (value !== undefined && value !== '') fields[name] = fieldValue(value)
  if (recipients.length > 0) fields['Rcpt'] = recipients.slice(0, MAX_RECIPIENTS).map((recipient) => fieldValue(`<${recipient}>`))
  return fields
}

/** UTF-8 as bytes, no control characters, not too long. */
function fieldValue(text: string): string {
  return binary(text.slice(0, MAX_FIELD_CHARACTERS).replace(/\p{Cc}/gu, '?'))
}

function binary(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
