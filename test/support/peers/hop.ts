/** What every started next hop is to a test. */
import type { Address } from '../process.ts'
import type { Mailbox } from './mailbox.ts'

export interface Hop {
  readonly name: string
  readonly address: Address
  /** as the gateway's configuration names it */
  readonly target: string
  /** the Maildir of a user `NAME@hop.example`; only those given at the start exist */
  mailbox(user: string): Mailbox
  /** what the program printed or logged */
  log(): string
  stop(): Promise<void>
  /** starts again, at the same address, with what it had */
  restart(): Promise<void>
}

export const HOP_DOMAIN = 'hop.example'

export function targetOf(address: Address): string {
  return 'port' in address ? `127.0.0.1:${address.port}` : `unix:${address.path}`
}

/** Mail is delivered as this user, who is there on every Debian and owns nothing. */
export const MAIL_USER = 'nobody'
