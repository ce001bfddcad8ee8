/**
 * Which login a message is sent on with, by its reverse-path (Postfix:
 * smtp_sender_dependent_authentication): that of the address, then that of its
 * domain, then the hop's own. The null reverse-path has no login of its own.
 */
import type { SenderLogin } from '../config/settings.ts'
import type { EnvelopePath } from '../smtp/envelope.ts'

export class SenderLogins<T> {
  readonly #byPattern: ReadonlyMap<string, T>
  readonly #otherwise: T

  constructor(logins: readonly (readonly [sender: SenderLogin['sender'], use: T])[], otherwise: T) {
    // The first of two with one pattern counts.
    this.#byPattern = new Map(logins.map(([sender, use]) => [sender.toLowerCase(), use] as const).reverse())
    this.#otherwise = otherwise
  }

  of({ path: { mailbox } }: EnvelopePath): T {
    if (mailbox === null || this.#byPattern.size === 0) return this.#otherwise
    return this.#byPattern.get(`${mailbox.localPart.toLowerCase()}@${mailbox.domain}`) ?? this.#byPattern.get(`@${mailbox.domain}`) ?? this.#otherwise
  }
}
