/**
 * Where the public keys of one message's signatures come from: the DNS (RFC
 * 6376 §3.6.2), each question asked once. A question without an answer is
 * `temperror`, never a missing key; a resolver that throws is one too.
 */
import type { Lookup, RecordType, Resolver } from '../../dns/resolver.ts'
import { chooseRecord, readKeyRecord } from './key-record.ts'
import type { NoKey, PublicKey } from './key-record.ts'
import type { Signature } from './signature.ts'

export type KeyAnswer = PublicKey | NoKey | { readonly status: 'temperror'; readonly cause: string }

/** Never rejects. */
export async function keyOf({ selector, domain, keyType }: Pick<Signature, 'selector' | 'domain' | 'keyType'>, resolver: Resolver): Promise<KeyAnswer> {
  const name = `${selector}._domainkey.${domain}`
  const answer = await resolver.lookup(name, 'TXT')
  switch (answer.status) {
    case 'records': {
      const key = readKeyRecord(chooseRecord(answer.records.map((strings) => strings.join('')), keyType))
      return key.status === 'key' && key.type !== keyType ? { status: 'neutral', cause: 'inappropriate key algorithm' } : key
    }
    case 'nxdomain':
    case 'nodata':
      return { status: 'neutral', cause: 'no key' }
    case 'servfail':
    case 'timeout':
      return { status: 'temperror', cause: `TXT of ${name}: ${answer.status} (${answer.cause})` }
  }
}

/** Asks each question once, and never rejects. */
export function askingOnce(resolver: Resolver): Resolver {
  const asked = new Map<string, Promise<unknown>>()
  return {
    lookup<T extends RecordType>(name: string, type: T): Promise<Lookup<T>> {
      const question = `${type} ${name.toLowerCase()}`
      const known = asked.get(question)
      if (known !== undefined) return known as Promise<Lookup<T>>
      const answer = lookUp(resolver, name, type)
      asked.set(question, answer)
      return answer
    },
  }
}

async function lookUp<T extends RecordType>(resolver: Resolver, name: string, type: T): Promise<Lookup<T>> {
  try {
    return await resolver.lookup(name, type)
  } catch (error) {
    return { status: 'servfail', cause: `the resolver threw: ${String(error)}` }
  }
}
