/**
 * MAIL, and before it XFORWARD where the hop is to be told of the client
 * (Postfix's XFORWARD_README). A refused XFORWARD costs the hop's log its
 * truth, not the client its mail.
 */
import { Loss, type Answer } from '../smtp/client-connection.ts'
import type { Reply } from '../smtp/reply.ts'
import { clientCommands, type DescribedClient } from '../smtp/xforward.ts'
import type { RelayConnection } from './relay-connect.ts'

export interface Forwarding {
  /** undefined: nothing is told */
  readonly client: DescribedClient | undefined
  readonly timeoutMs: number
  readonly onRefused: (reply: Reply) => void
}

/** @returns the answer to the first of the commands, by which a dead connection is known, and the one to MAIL */
export async function forwardAndMail({ channel, capabilities }: RelayConnection, line: string, { client, timeoutMs, onRefused }: Forwarding): Promise<{ first: Answer, answer: Answer }> {
  const offered = capabilities.get('XFORWARD')
  const forward = client === undefined || offered === undefined ? [] : clientCommands('XFORWARD', offered, client)
  const answers: Answer[] = []
  if (forward.length > 0 && capabilities.has('PIPELINING')) {
    // RFC 2920 §3.1: together, in one write.
    channel.send(forward.join('') + line)
    answers.push(...await Promise.all([...forward, line].map(() => channel.expect(timeoutMs))))
  } else {
    for (const one of forward) answers.push(await channel.command(one, timeoutMs))
    answers.push(await channel.command(line, timeoutMs))
  }
  const answer = answers.pop() ?? new Loss('dropped', 'nothing was sent')
  for (const one of answers) if (!(one instanceof Loss) && one.status !== 250) onRefused(one)
  return { first: answers[0] ?? answer, answer }
}
