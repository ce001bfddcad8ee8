/**
 * Tells a hop by XCLIENT who our client is, so that the hop decides as if the
 * client had connected itself (Postfix's XCLIENT_README).
 *
 * A hop that will not hear it would take the client for us, and might let it
 * do what only we may: the transaction then ends. Refusals that are about our
 * standing (501, 503, 550) become a 451; any other refusal is the hop's word
 * on the client and passes.
 */
import { sayHello } from '../smtp/client.ts'
import { Loss, type Answer } from '../smtp/client-connection.ts'
import { clientCommands } from '../smtp/xforward.ts'
import type { ClientFacts } from './next-hop.ts'
import { usable, type RelayConnection } from './relay-connect.ts'

export type Introduced =
  | { readonly status: 'known' }
  | { readonly status: 'not-allowed' | 'refused', readonly answer: Answer }

export interface XclientSettings {
  readonly hostname: string
  readonly protocol: 'smtp' | 'lmtp'
  readonly timeoutMs: number
}

export async function introduce(connection: RelayConnection, client: ClientFacts, settings: XclientSettings): Promise<Introduced> {
  const { channel, capabilities } = connection
  for (const line of clientCommands('XCLIENT', capabilities.get('XCLIENT') ?? '', client)) {
    const answer = await channel.command(line, settings.timeoutMs)
    if (answer instanceof Loss) return { status: 'refused', answer }
    if (answer.status === 220) continue
    return { status: [501, 503, 550].includes(answer.status) ? 'not-allowed' : 'refused', answer }
  }
  // The hop is at its greeting again and hears the client's own name.
  const hostname = client.helo !== undefined && /^[!-~]{1,255}$/.test(client.helo) ? client.helo : settings.hostname
  const hello = await sayHello(channel, { ...settings, hostname })
  switch (hello.status) {
    case 'ready':
      connection.capabilities = usable(hello.capabilities, channel.verified)
      return { status: 'known' }
    case 'refused':
    case 'nonsense': return { status: 'refused', answer: hello.reply }
    case 'lost': return { status: 'refused', answer: hello.loss }
    case 'tls-failed':
    case 'tls-not-offered': return { status: 'refused', answer: new Loss('tls', hello.status) }
  }
}

/** The hop would hear by XCLIENT who the client is; the commands apart, only its address is of use. */
export function tellsAddress({ capabilities }: RelayConnection): boolean {
  return (capabilities.get('XCLIENT') ?? '').toUpperCase().split(' ').includes('ADDR')
}
