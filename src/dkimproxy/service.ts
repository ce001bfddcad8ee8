/** The boundary between the daemon that both programs are, and what each does to messages. */
import type { Resolver } from '../dns/resolver.ts'
import type { SpoolSettings } from '../message/spool.ts'
import type { MakePassingMessage } from '../transparent/passing-message.ts'
import type { Notice } from './given.ts'
import type { ProxyLog } from './proxy-log.ts'

export interface ServiceContext {
  /** what relative paths are relative to */
  readonly cwd: string
  readonly log: ProxyLog
  readonly spool: SpoolSettings
  readonly date: () => Date
  /** default: the system's */
  readonly resolver: Resolver | undefined
}

export interface ProxyService {
  /** for one session */
  message(): MakePassingMessage
  /** What it has read from files is read again; where that has errors, the old stays. */
  reload(): { readonly errors: readonly Notice[]; readonly warnings: readonly Notice[] }
}

export type ServiceReading =
  | { readonly status: 'ok'; readonly service: ProxyService; readonly warnings: readonly Notice[] }
  | { readonly status: 'wrong'; readonly errors: readonly Notice[]; readonly warnings: readonly Notice[] }
