/**
 * DKIM and ARC of one message in one pass over its bytes: the same results as
 * `verifyDkim` and `verifyArc`, for half of the hashing and with the keys that
 * both need asked for once. Nothing throws.
 */
import type { Resolver } from '../dns/resolver.ts'
import { arcOutcome } from './arc.ts'
import type { ArcOutcome } from './arc.ts'
import { dkimOutcome } from './dkim.ts'
import type { DkimOutcome } from './dkim.ts'
import { askingOnce } from './dkim/key-source.ts'
import { readSignatures } from './message-signatures.ts'
import type { ReadableMessage } from './message-signatures.ts'

export async function verifyMessage(message: ReadableMessage, resolver: Resolver, now: Date): Promise<{ readonly dkim: DkimOutcome; readonly arc: ArcOutcome }> {
  const asked = askingOnce(resolver)
  const reading = await readSignatures(message, asked, now)
  return { dkim: dkimOutcome(reading), arc: await arcOutcome(reading, asked) }
}
