/**
 * What mail that goes out is given: who signs it, and, where users log in, what
 * each of them may do. A reload replaces it.
 */
import type { Signing } from '../signing/signing.ts'
import type { UserLimits } from './user-limits.ts'

export interface Outbound {
  /** name of the listener */
  readonly listener: string
  readonly hostname: string
  readonly signing: Signing
  /** what becomes of a message that should be signed and cannot be */
  readonly onError: 'tempfail' | 'unsigned'
  /** undefined: clients are trusted by their address, and send as whom they like */
  readonly users: UserRules | undefined
  /** unguessable, for a Message-ID */
  readonly newToken: () => string
}

export interface UserRules {
  /** false: who may send as whom is not known now */
  ready(): boolean
  /** the account was known here, and is not any more, or is barred */
  isGone(login: string): boolean
  /** @param address `local@domain` */
  maySendAs(login: string, address: string): boolean
  readonly limits: UserLimits
}
