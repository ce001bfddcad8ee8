/**
 * The users of one listener: who they are, what they may send as, how much.
 * Files are read at `load`, and again when they change; a broken one keeps its
 * last good content, and where there never was one logins and mail wait (4xx).
 */
import type { SubmissionSettings } from '../config/settings.ts'
import { nodeFileSystem } from '../delivery/file-system.ts'
import { createFileSource, type FileSource } from '../delivery/watched-file.ts'
import { createRates } from '../reputation/rates.ts'
import { createAuthenticator, type OpenAuthenticator } from '../submission/authenticator.ts'
import type { PasswordWork } from '../submission/password-work.ts'
import { maySendAs, parseSenders, type SendersTable } from '../submission/send-as.ts'
import type { OutgoingContext } from './outgoing-context.ts'
import type { UserRules } from './outbound.ts'
import { CountedUserLimits } from './user-limits.ts'

/** What all listeners of a worker share. */
export interface UsersContext extends OutgoingContext {
  readonly work: PasswordWork
  readonly secret: Buffer
  readonly hostname: string
}

export class ListenerUsers implements UserRules {
  readonly settings: SubmissionSettings
  readonly limits: CountedUserLimits
  readonly authenticator: OpenAuthenticator
  private readonly log: OutgoingContext['log']
  private readonly senders: FileSource<SendersTable> | undefined

  constructor(listener: string, settings: SubmissionSettings, context: UsersContext) {
    const { counters, log, now, work, secret, hostname } = context
    const { rate, sendAs } = settings
    this.settings = settings
    this.log = log
    this.limits = new CountedUserLimits({ rates: createRates({ messages: { sender: rate.messages }, recipients: { sender: rate.recipients } }, counters), log, listener, now })
    this.authenticator = createAuthenticator(settings.authentication, { files: nodeFileSystem, log, monotonicMs: now, now: () => Date.now(), counters, work, secret, hostname })
    this.senders = sendAs.senders === undefined ? undefined : createFileSource({ path: sendAs.senders, parse: parseSenders, facts: { listener } }, { files: nodeFileSystem, log, monotonicMs: now })
  }

  /** Reads all files; what is wrong with them is in the log. */
  async load(): Promise<void> {
    const [, { warnings }] = await Promise.all([this.senders?.reload(), this.authenticator.reload()])
    // Those of files are in the log already; Dovecot tells of itself when it is asked.
    this.log.debug({ listener: this.settings.authentication.listener, warnings: warnings.length }, 'users are known')
  }

  ready(): boolean {
    return this.senders === undefined || this.senders.last() !== undefined
  }

  maySendAs(login: string, address: string): boolean {
    const { domains, suffix } = this.settings.sendAs
    return maySendAs({ senders: this.senders?.last(), users: this.authenticator.users(), domains, suffix }, login, address)
  }

  /** Whom Dovecot may know cannot be asked for: only one that the file bars is gone there. */
  isGone(login: string): boolean {
    const users = this.authenticator.users()
    const found = users?.find(login)
    return users !== undefined && (found === undefined ? this.settings.authentication.dovecot === undefined : found.barred)
  }

  /** To be called once a second: files are looked at when nobody waits for them. */
  tick(): void {
    void this.senders?.current()
    void this.authenticator.look()
  }

  close(): void {
    this.authenticator.close()
  }
}
