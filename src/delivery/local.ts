/**
 * The bundled delivery: a next hop that puts messages into Maildirs.
 *
 * RCPT is answered from users, aliases, suffixes and catch-all: 250 2.1.5, or
 * 550 5.1.1 for nobody's address, 553 5.1.3 for one that cannot name a mailbox,
 * 550 5.7.1 for a domain that is not ours, 451 4.3.0 where the files that say it
 * cannot be read. The message goes to every mailbox of the transaction or to
 * none: 250 after all of them are on disk; 452 4.3.1 disk full, 451 4.3.0 else,
 * the cause in the log; 554 5.4.6 for a loop.
 *
 * RFC 5321 §4.4 (Return-Path at final delivery), §4.5.1 (postmaster), §6.3.
 */
import { randomBytes } from 'node:crypto'
import type { OutgoingMessage } from '../message/message.ts'
import type { Log } from '../observe/log.ts'
import type { MaildirSettings } from '../config/settings.ts'
import type { Capabilities } from '../smtp/capabilities.ts'
import { parameter, type Domain, type EnvelopePath } from '../smtp/envelope.ts'
import { NO_VALID_RECIPIENT, parameterNotKnown, RELAYING_DENIED } from '../smtp/reply-catalogue.ts'
import type { Reply } from '../smtp/reply.ts'
import { resolveAddress, type LocalMailbox } from './address-book.ts'
import { foldLocalPart } from './address-file.ts'
import { createAddressSource, type AddressSource, type LoadReport } from './address-source.ts'
import { deliveredTo, foldAddress, readHeaderSection } from './delivered-to.ts'
import { nodeFileSystem, type FileSystem } from './file-system.ts'
import { checkLocal, planOf, readLocalSettings, type LocalRules, type ProcessIdentity } from './local-settings.ts'
import * as replies from './local-replies.ts'
import { mailboxPath, unsafeBecause } from './mailbox-path.ts'
import { createTmpCleaner, type TmpCleaner } from './maildir-cleaning.ts'
import type { FolderPlan } from './maildir-folder.ts'
import { createNameSource, type NameSource } from './maildir-name.ts'
import { storeInMaildirs, type MaildirTarget } from './maildir.ts'
import type { ClientFacts, NextHop, Transaction } from './next-hop.ts'

export interface LocalContext {
  readonly hostname: string
  readonly log: Log
  /** what is delivered here; anything else is refused */
  readonly domains: ReadonlySet<Domain>
  /** an outbound listener leads here: take mail to other domains too; users and aliases hold for them alike */
  readonly anyDomain?: boolean
  /** the rest is for tests */
  readonly files?: FileSystem
  readonly wallMs?: () => number
  readonly monotonicMs?: () => number
  readonly random?: string
  readonly process?: ProcessIdentity
}

export interface LocalHop extends NextHop {
  /**
   * `done`: paths of Maildirs that have the message already, kept by the caller
   * over the transactions of one message; each gets one copy.
   */
  begin(client: ClientFacts, done?: Set<string>): Transaction
  /** Reads users and aliases again now; what is wrong is in the log too. */
  reload(): Promise<LoadReport>
  /** What would keep mail from being delivered: settings, files, owner. For start-up and `postern check`. */
  check(): Promise<LoadReport>
}

/** Final delivery: what it stores it stores as it came, and it sends nothing on. No DSN: it cannot report. */
const CAPABILITIES: Capabilities = new Map([
  ['PIPELINING', ''], ['ENHANCEDSTATUSCODES', ''], ['8BITMIME', ''], ['SMTPUTF8', ''],
  ['CHUNKING', ''], ['REQUIRETLS', ''], ['SIZE', ''],
])

/** What the transactions of one hop share. */
interface Post {
  readonly rules: LocalRules
  readonly domains: ReadonlySet<Domain>
  readonly anyDomain: boolean
  readonly source: AddressSource
  readonly files: FileSystem
  readonly names: NameSource
  readonly cleaner: TmpCleaner
  readonly log: Log
  readonly running: Set<LocalTransaction>
  stopping: boolean
  stopped: (() => void) | undefined
}

/** Throws where the settings cannot work; `check` first. */
export function createMaildirHop(settings: MaildirSettings, context: LocalContext): LocalHop {
  const read = readLocalSettings(settings, context)
  if (read.status === 'malformed') throw new Error(read.problems.join('; '))
  const { log } = context
  const files = context.files ?? nodeFileSystem
  const wallMs = context.wallMs ?? Date.now
  const monotonicMs = context.monotonicMs ?? (() => performance.now())
  const sourceSettings = { ...read.rules.addresses, hop: settings.name }
  const post: Post = {
    rules: read.rules,
    domains: context.domains,
    anyDomain: context.anyDomain === true,
    source: createAddressSource(sourceSettings, { files, log, monotonicMs }),
    files,
    names: createNameSource({ hostname: context.hostname, pid: process.pid, random: context.random ?? randomBytes(6).toString('hex'), wallMs }),
    cleaner: createTmpCleaner({ files, log, wallMs, monotonicMs }),
    log,
    running: new Set(),
    stopping: false,
    stopped: undefined,
  }
  return {
    name: settings.name,
    kind: 'maildir',
    capabilities: () => Promise.resolve(CAPABILITIES),
    begin: (client, done) => new LocalTransaction(post, client, done),
    close: () => close(post),
    reload: () => post.source.reload(),
    check: () => checkLocal(settings, context, files),
  }
}

async function close(post: Post): Promise<void> {
  post.stopping = true
  if (post.running.size > 0) await new Promise<void>((resolve) => (post.stopped = resolve))
  await post.cleaner.settle()
}

/** A recipient that was accepted. */
interface Accepted {
  /** as it came, without `<` and `>`, binary */
  readonly address: string
  readonly mailboxes: readonly { readonly mailbox: LocalMailbox; readonly plan: FolderPlan }[]
}

class LocalTransaction implements Transaction {
  readonly #post: Post
  readonly #client: ClientFacts
  readonly #done: Set<string>
  #sender = '<>'
  #accepted: Accepted[] = []
  #delivering = false
  #aborted = false

  constructor(post: Post, client: ClientFacts, done: Set<string> | undefined) {
    this.#post = post
    this.#client = client
    this.#done = done ?? new Set()
  }

  mail(sender: EnvelopePath): Promise<Reply> {
    return this.#guard(() => {
      if (this.#post.stopping) return replies.STOPPING
      const refused = refuseParameters(sender, ['RET', 'ENVID'])
      if (refused !== null) return refused
      if (parameter(sender, 'BODY')?.value?.toUpperCase() === 'BINARYMIME') return replies.NO_BINARY
      this.#post.running.add(this)
      this.#sender = sender.path.wire
      return replies.SENDER_OK
    })
  }

  rcpt(recipient: EnvelopePath): Promise<Reply> {
    return this.#guard(async () => {
      const refused = refuseParameters(recipient, ['NOTIFY', 'ORCPT'])
      if (refused !== null) return refused
      const resolved = await resolve(this.#post, recipient, this.#client.ident)
      if ('status' in resolved) return resolved
      this.#accepted.push(resolved)
      return replies.RECIPIENT_OK
    })
  }

  async data(message: OutgoingMessage): Promise<readonly Reply[]> {
    this.#delivering = true
    const reply = await this.#guard(() => (message.binary ? replies.NO_BINARY : this.#deliver(message)))
    this.#delivering = false
    this.#end()
    return [reply]
  }

  abort(): void {
    this.#aborted = true
    // What is being written is taken back first; then the transaction ends.
    if (!this.#delivering) this.#end()
  }

  #end(): void {
    const { running } = this.#post
    running.delete(this)
    if (this.#post.stopping && running.size === 0) this.#post.stopped?.()
  }

  async #deliver(message: OutgoingMessage): Promise<Reply> {
    if (this.#aborted) return replies.STOPPING
    if (this.#accepted.length === 0) return NO_VALID_RECIPIENT
    const { files, names, log, cleaner } = this.#post
    const before = deliveredTo(await readHeaderSection(message.body))
    const loop = before.size === 0 ? undefined : this.#accepted.find(({ address }) => before.has(foldAddress(address)))
    if (loop !== undefined) {
      log.warn({ id: this.#client.ident, rcpt: loop.address }, 'mail loop: the message has a Delivered-To field of this recipient')
      return replies.MAIL_LOOP
    }
    const targets = this.#targets(message.prefix)
    const outcome = await storeInMaildirs(message.body, targets, { files, names, log, cancelled: () => this.#aborted })
    switch (outcome.status) {
      case 'stored':
        for (const { plan } of targets) {
          this.#done.add(plan.path.path)
          cleaner.visit(plan)
        }
        log.debug({ id: this.#client.ident, paths: outcome.paths }, 'delivered')
        return replies.DELIVERED
      case 'cancelled':
        return replies.STOPPING
      case 'failed': {
        const { step, path, code, cause } = outcome
        log.error({ id: this.#client.ident, step, path, code, cause }, `delivery failed: cannot ${step}`)
        return code === 'ENOSPC' || code === 'EDQUOT' ? replies.NO_SPACE : replies.MAIL_SYSTEM
      }
    }
  }

  /** One for each Maildir, whichever recipients lead there. */
  #targets(prefix: Buffer): readonly MaildirTarget[] {
    const plans = new Map<string, { plan: FolderPlan; addresses: Set<string> }>()
    for (const { address, mailboxes } of this.#accepted) {
      for (const { plan } of mailboxes) {
        const { path } = plan.path
        if (this.#done.has(path)) continue
        const known = plans.get(path)
        if (known === undefined) plans.set(path, { plan, addresses: new Set([address]) })
        else known.addresses.add(address)
      }
    }
    return [...plans.values()].map(({ plan, addresses }) => {
      const fields = [`Return-Path: ${this.#sender}\r\n`, ...[...addresses].map((address) => `Delivered-To: ${address}\r\n`)]
      return { plan, prefix: Buffer.concat([Buffer.from(fields.join(''), 'latin1'), prefix]) }
    })
  }

  /** A transaction answers; what was not foreseen is told in the log. */
  async #guard(action: () => Reply | Promise<Reply>): Promise<Reply> {
    try {
      return await action()
    } catch (error) {
      this.#post.log.error({ id: this.#client.ident, cause: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'delivery failed unexpectedly')
      return replies.MAIL_SYSTEM
    }
  }
}

/** What is not offered is not known (RFC 5321 §4.1.1.11). */
function refuseParameters(path: EnvelopePath, keywords: readonly string[]): Reply | null {
  const found = keywords.find((keyword) => parameter(path, keyword) !== undefined)
  return found === undefined ? null : parameterNotKnown(found)
}

async function resolve(post: Post, recipient: EnvelopePath, ident: string): Promise<Accepted | Reply> {
  const { wire, mailbox } = recipient.path
  if (mailbox === null) return replies.NO_SUCH_USER
  const { rules, log } = post
  const domain = mailbox.domain === '' ? rules.ownDomain : mailbox.domain
  if (domain === undefined || !(post.anyDomain || post.domains.has(domain))) return RELAYING_DENIED
  const address = wire.replace(/^<(.*)>$/s, '$1')
  const local = foldLocalPart(mailbox.localPart)
  if (unsafeBecause(local) !== null || /[\x00-\x1f\x7f]/.test(address)) return replies.NO_SUCH_NAME
  const current = await post.source.current()
  if (current.status === 'unavailable') {
    log.error({ id: ident, cause: current.cause }, 'cannot tell who is a user')
    return replies.MAIL_SYSTEM
  }
  const resolution = resolveAddress(current.book, { local, domain })
  switch (resolution.status) {
    case 'unknown':
      return replies.NO_SUCH_USER
    case 'endless':
      log.error({ id: ident, cause: resolution.why }, 'the aliases do not end')
      return replies.MISCONFIGURED
    case 'mailboxes': {
      const mailboxes: { mailbox: LocalMailbox; plan: FolderPlan }[] = []
      for (const found of resolution.mailboxes) {
        const made = mailboxPath(rules.template, found)
        if (made.status === 'unsafe') return replies.NO_SUCH_NAME
        mailboxes.push({ mailbox: found, plan: planOf(rules, made.path, found.owner) })
      }
      return { address, mailboxes }
    }
  }
}
