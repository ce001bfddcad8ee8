/**
 * Who can log in: the accounts of the users file, and behind them those of
 * Dovecot. Says of a name and a password whether they belong together, and
 * what secrets there are for the mechanisms that send no password.
 *
 * Whom nobody knows costs the time that a known one costs, and gets the same
 * answers: a password is checked against a decoy, a SCRAM exchange is made with
 * a salt that is derived from the name and a secret of the server's, and comes
 * to nothing at its end. Nothing rejects.
 */
import { randomBytes } from 'node:crypto'
import { foldLocalPart } from '../delivery/address-file.ts'
import { parseUserName } from '../delivery/users.ts'
import type { FileSource } from '../delivery/watched-file.ts'
import type { DovecotLogin } from './dovecot-login.ts'
import type { SessionFacts } from './facts.ts'
import type { CheckedLogin } from './login-attempt.ts'
import { hmacContexts } from './md5.ts'
import type { Account, PasswordTable } from './password-file.ts'
import type { WorkTurn } from './hash-thread.ts'
import type { PasswordHash, ScramSecret } from './password-hash.ts'
import { decoyOf, type PasswordWork } from './password-work.ts'
import { opaqueString } from './prepare.ts'
import { hmac } from './scram-keys.ts'

export interface AccountsContext {
  readonly users: FileSource<PasswordTable> | undefined
  readonly dovecot: DovecotLogin | undefined
  readonly work: PasswordWork
  /** the same in all workers, and after a restart */
  readonly secret: Buffer
}

export type Secret<T> =
  | { readonly status: 'known'; readonly account: Account; readonly secret: T }
  /** the exchange goes on, and fails */
  | { readonly status: 'decoy'; readonly secret: T }
  /** Dovecot may know this user */
  | { readonly status: 'elsewhere' }
  | { readonly status: 'unavailable'; readonly cause: string }

export interface Accounts {
  /** what is known of the users file, without a look at it */
  table(): PasswordTable | undefined
  /**
   * The name that the account has in the file as it is known now; of others, the form in which accounts are named.
   * `anna` and `anna@` a domain of ours may be one account: what is counted of it is counted once.
   */
  nameOf(given: string): string
  checkPassword(login: { readonly name: string; readonly password: string }, facts: SessionFacts, turn: WorkTurn): Promise<CheckedLogin>
  scramSecret(name: string, turn: WorkTurn): Promise<Secret<ScramSecret>>
  /** HMAC-MD5 contexts */
  cramSecret(name: string): Promise<Secret<Buffer>>
  /** Of a user whose certificate was enough. */
  checkNamed(name: string, facts: SessionFacts): Promise<CheckedLogin>
}

const DEFAULT_SCRAM = { iterations: 4096, saltBytes: 16 }
/** Where the file has no password yet: what `postern user` would write. */
const DEFAULT_HASH: PasswordHash = { scheme: 'argon2id', memoryKiB: 65_536, passes: 3, lanes: 1, salt: Buffer.alloc(16), tag: Buffer.alloc(32) }

type Found =
  | { readonly status: 'account'; readonly account: Account; readonly table: PasswordTable }
  | { readonly status: 'unknown'; readonly table: PasswordTable | undefined }
  | { readonly status: 'unavailable'; readonly cause: string }

/** A name as it was given, in the form in which accounts are named; of what cannot be one, in lower case. */
export function accountName(given: string): string {
  const parsed = parseUserName(given)
  return typeof parsed === 'string' ? parsed : foldLocalPart(given)
}

export function createAccounts(context: AccountsContext): Accounts {
  const { users, dovecot, work, secret } = context

  async function find(name: string): Promise<Found> {
    if (users === undefined) return { status: 'unknown', table: undefined }
    const current = await users.current()
    if (current.status === 'unavailable') return current
    const account = current.value.find(accountName(name))
    return account === undefined ? { status: 'unknown', table: current.value } : { status: 'account', account, table: current.value }
  }

  /** Of who is not in the file, or has no password in it. */
  function isElsewhere(found: Found): boolean {
    return dovecot !== undefined && (found.status === 'unknown' || (found.status === 'account' && found.account.hash === undefined && !found.account.barred))
  }

  return {
    table: () => users?.last(),
    nameOf: (given) => users?.last()?.find(accountName(given))?.name ?? accountName(given),
    async checkPassword({ name, password }, facts, turn) {
      const found = await find(name)
      if (found.status === 'unavailable') return found
      if (dovecot !== undefined && isElsewhere(found)) return await dovecot.checkPassword(name, password, facts)
      const account = found.status === 'account' ? found.account : undefined
      const hash = account?.hash ?? decoyOf(found.table?.typical(shareOf(secret, found.table.likely(accountName(name)))) ?? DEFAULT_HASH)
      const verified = await work.verify(hash, password, turn)
      if (verified === 'busy') return { status: 'unavailable', cause: 'too many passwords to check at once' }
      if (account?.hash === undefined) return mismatch(account === undefined ? 'no such user' : 'the user cannot log in')
      if (verified === 'mismatch') return mismatch('wrong password')
      return allowed(account, facts)
    },
    async scramSecret(name, turn) {
      const found = await find(name)
      if (found.status === 'unavailable') return found
      if (isElsewhere(found)) return { status: 'elsewhere' }
      const hash = found.status === 'account' ? found.account.hash : undefined
      const how = found.table?.scram ?? DEFAULT_SCRAM
      if (found.status === 'account' && hash?.scheme === 'scram-sha-256') return { status: 'known', account: found.account, secret: hash }
      // Two names of one user have one salt; so have two names of nobody.
      const account = found.status === 'account' ? found.account.name : (found.table?.likely(accountName(name)) ?? accountName(name))
      const salt = hmac(secret, `scram salt ${account}`).subarray(0, Math.min(how.saltBytes, 32))
      const clear = hash?.scheme === 'plain' ? hash : undefined
      // Where some passwords have to be derived, the decoys take as long.
      const derived = clear !== undefined || (found.table?.abilities.clear ?? 0) > 0 ? await work.derive(clear?.secret ?? 'nobody', { salt, iterations: how.iterations }, turn) : undefined
      if (derived === 'busy') return { status: 'unavailable', cause: 'too many passwords to check at once' }
      if (found.status === 'account' && clear !== undefined && derived !== undefined) return { status: 'known', account: found.account, secret: derived }
      return { status: 'decoy', secret: { scheme: 'scram-sha-256', iterations: how.iterations, salt, storedKey: randomBytes(32), serverKey: randomBytes(32) } }
    },
    async cramSecret(name) {
      const found = await find(name)
      if (found.status === 'unavailable') return found
      if (found.status === 'account' && found.account.hash?.scheme === 'cram-md5') return { status: 'known', account: found.account, secret: found.account.hash.contexts }
      if (found.status === 'account' && found.account.hash?.scheme === 'plain') {
        return { status: 'known', account: found.account, secret: hmacContexts(Buffer.from(opaqueString(found.account.hash.secret))) }
      }
      return { status: 'decoy', secret: randomBytes(32) }
    },
    async checkNamed(name, facts) {
      const found = await find(name)
      if (found.status === 'unavailable') return found
      if (found.status === 'account') return found.account.barred ? mismatch('the user cannot log in') : allowed(found.account, facts)
      // A file that has all users has this one too; Dovecot is not asked for users without their password.
      return dovecot === undefined ? mismatch('no such user') : { status: 'match', account: accountName(name) }
    },
  }
}

/** The same for a name each time: who is unknown seems to have one of the schemes that users have. */
function shareOf(secret: Buffer, name: string): number {
  return hmac(secret, `decoy cost ${name}`).readUInt32BE(0) / 2 ** 32
}

export function allowed(account: Account, facts: SessionFacts): CheckedLogin {
  return account.allows(facts.address) ? { status: 'match', account: account.name } : mismatch('not allowed from this address (allow_nets)')
}

function mismatch(cause: string): CheckedLogin {
  return { status: 'mismatch', cause }
}
