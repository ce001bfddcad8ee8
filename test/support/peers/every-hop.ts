/**
 * The real next hops, each with what a test has to know of it: how to start it,
 * what it puts on top of a message, and what it does to messages all the same.
 */
import { startDovecot } from './dovecot.ts'
import { startExim } from './exim.ts'
import type { Hop } from './hop.ts'
import { startOpenSmtpd } from './opensmtpd.ts'
import { startPostfix } from './postfix.ts'
import type { Program } from './programs.ts'

export interface HopKind {
  readonly name: string
  readonly kind: 'smtp' | 'lmtp'
  readonly needs: readonly Program[]
  readonly start: (users: readonly string[]) => Promise<Hop>
  /** fields that it puts above those of the gateway */
  readonly tops: readonly string[]
}

export const EVERY_HOP: readonly HopKind[] = [
  { name: 'Postfix', kind: 'smtp', needs: ['postfix'], start: (users) => startPostfix({ users, trusting: true }), tops: ['Return-Path', 'X-Original-To', 'Delivered-To'] },
  { name: 'Exim', kind: 'smtp', needs: ['exim'], start: (users) => startExim({ users }), tops: [] },
  { name: 'OpenSMTPD', kind: 'smtp', needs: ['opensmtpd', 'unshare'], start: (users) => startOpenSmtpd({ users }), tops: ['Return-Path', 'Delivered-To'] },
  { name: 'Dovecot over a unix socket', kind: 'lmtp', needs: ['dovecot', 'dovecot-lmtp'], start: (users) => startDovecot({ users, over: 'unix' }), tops: ['Return-Path', 'Delivered-To'] },
  { name: 'Dovecot over TCP', kind: 'lmtp', needs: ['dovecot', 'dovecot-lmtp'], start: (users) => startDovecot({ users, over: 'tcp' }), tops: ['Return-Path', 'Delivered-To'] },
]

/** The name that the hop gives itself in its Received field. */
export function ownName(kind: HopKind): string {
  return `${kind.name.split(' ')[0]?.toLowerCase() ?? ''}.example`
}
