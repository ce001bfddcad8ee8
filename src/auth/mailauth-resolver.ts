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
import type { Absence, Failure, Lookup, RecordType, Resolver } from '../dns/resolver.ts'

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

/** The error by which mailauth hears that a look-up gave no records. It has no stack: most look-ups of a list or a policy end so, and a stack costs five times the rest. */
export class LookupError extends Error {
  readonly code: string
  /** null where the DNS answered, and the answer was that there is nothing */
  readonly failed: FailedLookup | null

  constructor({ code, message, failed }: NoRecords) {
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message)
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'LookupError'
    this.code = code
    this.failed = failed
  }
}

/** What an error is made of, for each who asks. */
interface NoRecords {
  readonly code: string
  readonly message: string
  readonly failed: FailedLookup | null
}

export function recordingResolver(resolver: Resolver): RecordingResolver {
  const failures: FailedLookup[] = []
  const asked = new Map<string, Promise<MailauthRecords | NoRecords>>()
  const ask = async (name: string, type: string): Promise<MailauthRecords | NoRecords> => {
    const answer = await answerOf(resolver, name, type)
    if ('failed' in answer && answer.failed !== null) failures.push(answer.failed)
    return answer
  }
  return {
    failures,
    async resolve(name, type) {
      const question = `${type} ${name.toLowerCase()}`
      let asking = asked.get(question)
      if (asking === undefined) {
        asking = ask(name, type)
        asked.set(question, asking)
      }
      const answer = await asking
      // mailauth writes on errors: each asker has its own
      if ('failed' in answer) throw new LookupError(answer)
      // and sorts and cuts what it is given
      return [...answer] as MailauthRecords
    },
  }
}

/** A sentence about what could not be asked, for a `cause`. */
export function failureText(failure: FailedLookup): string {
  return `${failure.type} of ${failure.name}: ${failure.status} (${failure.cause})`
}

async function answerOf(resolver: Resolver, name: string, type: string): Promise<MailauthRecords | NoRecords> {
  switch (type) {
    case 'A':
    case 'AAAA':
    case 'PTR':
    case 'CNAME': {
      const found = await lookUp(resolver, name, type)
      return found.status === 'records' ? [...found.records] : noRecords(found, name, type)
    }
    case 'TXT': {
      const found = await lookUp(resolver, name, type)
      return found.status === 'records' ? found.records.map((strings) => [...strings]) : noRecords(found, name, type)
    }
    case 'MX': {
      const found = await lookUp(resolver, name, type)
      return found.status === 'records' ? found.records.map(({ preference, exchange }) => ({ priority: preference, exchange })) : noRecords(found, name, type)
    }
    default:
      throw new Error(`mailauth asks for ${type} of ${name}, a type of record that the resolver does not know`)
  }
}

function noRecords(lookup: Absence | Failure, name: string, type: string): NoRecords {
  switch (lookup.status) {
    case 'nxdomain':
      return { code: 'ENOTFOUND', message: `${name} does not exist`, failed: null }
    case 'nodata':
      return { code: 'ENODATA', message: `${name} has no ${type} records`, failed: null }
    case 'servfail':
    case 'timeout': {
      const failed = { name: name.toLowerCase(), type, status: lookup.status, cause: lookup.cause }
      return { code: lookup.status === 'timeout' ? 'ETIMEOUT' : 'ESERVFAIL', message: failureText(failed), failed }
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
