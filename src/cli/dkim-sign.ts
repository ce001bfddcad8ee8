/**
 * `postern dkim sign`: a message with its signatures on top, line ends CR LF as
 * on the wire. With keys named on the command line, or with those that the
 * configuration means for it, as if it came in by an outbound listener from
 * somebody who may write in its author's name.
 *
 * Exit codes: 0 signed; 64 wrong arguments; 65 a key or a message that cannot
 * be used, or no key is meant for it (nothing is printed then); 66 no such
 * file; 75 signing.require_published and the record is not right; 78 the
 * configuration is wrong.
 */
import { once } from 'node:events'
import { resolve } from 'node:path'
import { isatty } from 'node:tty'
import { MessageSigner } from '../auth/dkim/message-signer.ts'
import type { Canonicalization, SigningOrder } from '../auth/dkim/signing-order.ts'
import { openResolver } from '../dns/configured.ts'
import type { HeaderSection } from '../message/header-section.ts'
import type { StoredMessage } from '../message/message.ts'
import { escapeControls } from '../observe/readable.ts'
import { DEFAULT_FIELDS, DEFAULT_OVERSIGN, DEFAULT_OVERSIGN_PRESENT } from '../signing/fields.ts'
import { describeSigningProblem, type SigningProblem } from '../signing/problem.ts'
import { SigningKeys } from '../signing/signing-keys.ts'
import type { SigningSettings } from '../signing/settings.ts'
import type { SigningDecision } from '../signing/signing.ts'
import { configured } from './configured.ts'
import type { SignRequest } from './dkim-command.ts'
import { domainOf, selectorOf, type DkimIo } from './dkim-io.ts'
import { EXIT, ExitError } from './exit-codes.ts'
import { fileChunks, readMessage } from './scan-message.ts'

const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const MAX_MESSAGE_BYTES = 1024 * 1024 * 1024

type Decide = (section: HeaderSection) => SigningDecision

export async function runSign(request: SignRequest, io: DkimIo): Promise<number> {
  const prepared = await decider(request, io)
  if (typeof prepared === 'number') return prepared
  const message = (await readMessage(messageChunks(request.file, io), prepared.maxBytes)).body
  try {
    const fields = await signatures(message, prepared.decide, io)
    const write = io.write ?? toStandardOutput
    await write(fields)
    for await (const piece of message.chunks()) await write(piece)
    return EXIT.ok
  } finally {
    message.discard()
  }
}

/** The message, from a file or from standard input. */
export function messageChunks(file: string | undefined, io: DkimIo): AsyncIterable<Buffer> {
  if (file !== undefined) return fileChunks(resolve(io.cwd, file))
  if (io.stdin !== undefined) return io.stdin
  if (isatty(0)) io.err('reading the message from the terminal; it ends with Ctrl-D\n')
  return process.stdin
}

async function toStandardOutput(bytes: Buffer): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, 'drain')
}

async function signatures(message: StoredMessage, decide: Decide, io: DkimIo): Promise<Buffer> {
  let decision: SigningDecision | undefined
  const signer = new MessageSigner((section) => {
    decision = decide(section)
    return decision.status === 'sign' ? decision.orders : []
  })
  for await (const piece of message.chunks()) signer.write(piece)
  const outcome = await signer.finish({ above: [], now: new Date((io.now ?? Date.now)()) })
  switch (outcome.status) {
    case 'signed': return outcome.fields
    case 'failed': throw new ExitError(EXIT.data, `the message cannot be signed: ${escapeControls(outcome.cause)}`)
    case 'unsigned': throw new ExitError(decision?.status === 'defer' ? EXIT.temporary : EXIT.data, `nothing is signed: ${escapeControls(decision?.why ?? 'there are no keys')}`)
  }
}

interface Prepared {
  readonly decide: Decide
  readonly maxBytes: number
}

/** Who signs, or the exit code where that is said already. */
async function decider(request: SignRequest, io: DkimIo): Promise<Prepared | number> {
  const named = request.domain !== undefined || request.key !== undefined || request.selector !== undefined
  if (named) return { decide: namedDecider(request, io), maxBytes: MAX_MESSAGE_BYTES }
  const found = configured(request.config, io)
  if (found.status === 'refused') return found.exitCode
  const { settings } = found
  const signing = { ...settings.signing, ...(request.canonicalization !== undefined && { canonicalization: canonicalizationOf(request.canonicalization) }) }
  const opened = io.resolver === undefined ? openResolver(settings.dns, QUIET) : undefined
  const resolver = io.resolver ?? opened
  if (resolver === undefined) throw new Error('no resolver')
  try {
    const keys = loaded(signing, resolver)
    if (signing.requirePublished) await keys.firstCheck()
    const listener = settings.listeners.find(({ role }) => role !== 'inbound')?.name ?? ''
    const decide: Decide = (section) => keys.decide({ listener, login: undefined, sender: null, recipientDomains: new Set(), section, entitledTo: () => true, addedFields: new Set() })
    return { decide, maxBytes: settings.limits.messageBytes }
  } finally {
    opened?.close()
  }
}

function loaded(signing: SigningSettings, resolver: Parameters<typeof SigningKeys.load>[1]['resolver']): SigningKeys {
  const load = SigningKeys.load(signing, { resolver, log: QUIET, now: () => performance.now() })
  if (load.status === 'loaded') return load.signing
  throw problems(load.problems)
}

function problems(list: readonly SigningProblem[]): ExitError {
  return new ExitError(EXIT.data, list.map(describeSigningProblem).join('\n'))
}

/** The keys of the command line sign whatever the message says of its author. */
function namedDecider(request: SignRequest, io: DkimIo): Decide {
  const { domain, selector = [], key = [] } = request
  if (domain === undefined || key.length === 0 || selector.length !== key.length) throw new ExitError(EXIT.usage, 'a key is named by --domain, --selector and --key together; with several keys each has its --selector')
  const d = domainOf(domain, '--domain')
  const keys = key.map((path, i) => ({
    domain: d, selector: selectorOf(selector[i] ?? ''), key: resolve(io.cwd, path),
    subdomains: false, senders: undefined, listIds: undefined, users: undefined, listeners: undefined, addressFields: ['from'] as const,
  }))
  const canonicalization = canonicalizationOf(request.canonicalization ?? 'relaxed/relaxed')
  const settings: SigningSettings = {
    keys, directory: undefined, selector: undefined, tables: undefined, canonicalization, fields: DEFAULT_FIELDS, oversign: DEFAULT_OVERSIGN, oversignPresent: DEFAULT_OVERSIGN_PRESENT,
    expireSeconds: undefined, requirePublished: false, singleSignature: [], onError: 'tempfail',
  }
  const { keys: signers } = loaded(settings, { lookup: () => Promise.reject(new Error('nothing is asked')) })
  return (section) => ({ status: 'sign', why: 'as the command line has it', orders: signers.map((one) => orderOf(one, settings, section)) })
}

function orderOf(key: SigningOrder['key'], { canonicalization, fields, oversign, oversignPresent }: SigningSettings, section: HeaderSection): SigningOrder {
  const present = oversignPresent.filter((name) => section.fields.some((field) => field.key === name))
  return { key, canonicalization, identity: undefined, signedFields: fields, oversignedFields: [...oversign, ...present], lifetimeSeconds: undefined }
}

/** RFC 6376 §3.5: without a second one the body's is simple. */
function canonicalizationOf(text: string): { readonly header: Canonicalization; readonly body: Canonicalization } {
  const [, header, body = 'simple'] = /^(simple|relaxed)(?:\/(simple|relaxed))?$/i.exec(text.toLowerCase()) ?? []
  if (header === undefined) throw new ExitError(EXIT.usage, `--canonicalization: ${escapeControls(text)}; allowed: simple or relaxed, for header and body, as relaxed/simple`)
  return { header: header as Canonicalization, body: body as Canonicalization }
}
