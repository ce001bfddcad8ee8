/**
 * Our resolver in the form mailauth asks it: `(name, type) => records`, with an
 * error whose code is one of node:dns where there are none. `nxdomain` is
 * ENOTFOUND and `nodata` ENODATA; `servfail` is ESERVFAIL and `timeout`
 * ETIMEOUT, which mailauth takes as temporary.
 *
 * One of these is made for each check of one message. It asks each question
 * once, and it keeps what could not be answered: mailauth tells a result, not
 * always what the result rests on, so a check looks here before it says that
 * something failed.
 */
import type { Lookup, RecordType, Resolver } from '../dns/resolver.ts'

/** A question to which there was no answer. */
export interface FailedLookup {
  /** in lower case */
  readonly name: string
  readonly type: string
  readonly status: 'servfail' | 'timeout'
  readonly cause: string
}

export interface MailauthMx {
  readonly priority: number
  readonly exchange: string
}

export type MailauthRecords = string[] | string[][] | MailauthMx[]

export type MailauthResolve = (name: string, type: string) => Promise<MailauthRecords>

export interface RecordingResolver {
  readonly resolve: MailauthResolve
  readonly failures: readonly FailedLookup[]
}

/** The error by which mailauth hears that a look-up gave no records. */
export class LookupError extends Error {
  readonly code: string
  /** null where the DNS answered, and the answer was that there is nothing */
  readonly failed: FailedLookup | null

  constructor(code: string, message: string, failed: FailedLookup | null) {
    super(message)
    this.name = 'LookupError'
    this.code = code
    this.failed = failed
  }
}

export function recordingResolver(resolver: Resolver): RecordingResolver {
  const failures: FailedLookup[] = []
  const asked = new Map<string, Promise<MailauthRecords>>()
  return {
    failures,
    async resolve(name, type) {
      const question = `${type} ${name.toLowerCase()}`
      let answer = asked.get(question)
      if (answer === undefined) {
        answer = ask(resolver, name, type)
        asked.set(question, answer)
        answer.catch((error: unknown) => {
          if (error instanceof LookupError && error.failed !== null) failures.push(error.failed)
        })
      }
      try {
        // mailauth sorts and cuts what it is given
        return [...(await answer)] as MailauthRecords
      } catch (error) {
        // and writes on errors: each asker has its own
        throw error instanceof LookupError ? new LookupError(error.code, error.message, error.failed) : error
      }
    },
  }
}

/** A sentence about what could not be asked, for a `cause`. */
export function failureText(failure: FailedLookup): string {
  return `${failure.type} of ${failure.name}: ${failure.status} (${failure.cause})`
}

async function ask(resolver: Resolver, name: string, type: string): Promise<MailauthRecords> {
  switch (type) {
    case 'A':
    case 'AAAA':
    case 'PTR':
    case 'CNAME':
      return [...await records(resolver, name, type)]
    case 'TXT':
      return (await records(resolver, name, type)).map((strings) => [...strings])
    case 'MX':
      return (await records(resolver, name, type)).map(({ preference, exchange }) => ({ priority: preference, exchange }))
    default:
      throw new Error(`mailauth asks for ${type} of ${name}, a type of record that the resolver does not know`)
  }
}

async function records<T extends RecordType>(resolver: Resolver, name: string, type: T): Promise<Extract<Lookup<T>, { status: 'records' }>['records']> {
  const lookup = await lookUp(resolver, name, type)
  switch (lookup.status) {
    case 'records':
      return lookup.records
    case 'nxdomain':
      throw new LookupError('ENOTFOUND', `${name} does not exist`, null)
    case 'nodata':
      throw new LookupError('ENODATA', `${name} has no ${type} records`, null)
    case 'servfail':
    case 'timeout': {
      const failed = { name: name.toLowerCase(), type, status: lookup.status, cause: lookup.cause }
      throw new LookupError(lookup.status === 'timeout' ? 'ETIMEOUT' : 'ESERVFAIL', failureText(failed), failed)
    }
  }
}

/** A resolver that rejects has a bug; that must not become "no record" either. */
async function lookUp<T extends RecordType>(resolver: Resolver, name: string, type: T): Promise<Lookup<T>> {
  try {
    return await resolver.lookup(name, type)
  } catch (error) {
    return { status: 'servfail', cause: `the resolver threw: ${String(error)}` }
  }
}
