/**
 * The checks that need the envelope and not the message: the name in HELO, SPF
 * and the domain of the sender. They are begun at the first recipient, so that
 * a client who only names senders makes us ask nothing. Nothing throws.
 */
import { checkSpf, type SpfOutcome } from '../auth/spf.ts'
import type { CheckOutcome } from '../policy/outcome.ts'
import { checkHelo, type HeloOutcome } from '../reputation/helo.ts'
import { checkSenderDomain } from '../reputation/sender-domain.ts'
import { traced, type CheckGround, type CheckTrace } from './check-trace.ts'
import type { ClientJudgement } from './client-judgement.ts'
import { heloOutcome, senderDomainOutcome } from './outcomes-client.ts'
import { spfOutcome } from './outcomes-message.ts'

export interface EnvelopeFindings {
  readonly outcomes: readonly CheckOutcome[]
  readonly traces: readonly CheckTrace[]
  readonly helo: HeloOutcome | undefined
  readonly spf: SpfOutcome | undefined
}

/** Of the reverse-path, decoded. */
export interface Sender {
  /** null: the null reverse-path */
  readonly address: string | null
  /** '' for the null reverse-path */
  readonly domain: string
}

export async function checkEnvelope(client: ClientJudgement, sender: Sender): Promise<EnvelopeFindings> {
  // A name in HELO that nobody answers for must not cost SPF its time.
  const [helo, spf, domain] = await Promise.all([heloOf(client, client.ground), spfOf({ client, sender }, client.groundOfItsOwn()), domainOf({ client, sender }, client.groundOfItsOwn())])
  const address = client.session.address ?? ''
  const { policy } = client.inbound.settings
  return {
    outcomes: [
      ...(helo === undefined ? [] : [heloOutcome(helo.outcome)]),
      ...(domain === undefined ? [] : [senderDomainOutcome(domain.outcome)]),
      ...(spf === undefined ? [] : [spfOutcome(spf.outcome, address, policy.checks.spf.weight / 2)]),
    ],
    traces: [helo, spf, domain].flatMap((one) => one?.trace ?? []),
    helo: helo?.outcome,
    spf: spf?.outcome,
  }
}

async function heloOf(client: ClientJudgement, ground: CheckGround): Promise<{ outcome: HeloOutcome; trace: CheckTrace } | undefined> {
  if (!client.wants('helo')) return undefined
  const { settings } = client.inbound
  const { helo, address } = client.session
  return traced('helo', ground, {
    run: (resolver) => checkHelo({ name: helo ?? null, address, hostname: settings.hostname, domains: settings.domains }, resolver),
    describe: (found) => (found.status === 'fail' ? [found.result, found.cause] : [found.status, found.status === 'temperror' ? found.cause : found.name]),
  })
}

async function spfOf({ client, sender }: { readonly client: ClientJudgement; readonly sender: Sender }, ground: CheckGround): Promise<{ outcome: SpfOutcome; trace: CheckTrace } | undefined> {
  const { address, helo } = client.session
  // DMARC stands on it too.
  if (address === undefined || !(client.wants('spf') || client.wants('dmarc'))) return undefined
  return traced('spf', ground, {
    run: (resolver) => checkSpf({ address, helo: helo ?? '', sender: sender.address, receiver: client.inbound.settings.hostname }, resolver),
    describe: (found) => [found.status, [found.scope === 'helo' ? `of HELO ${found.domain}` : `of ${found.domain}`, found.record, found.cause].filter((part) => part !== undefined && part !== '').join('; ')],
  })
}

async function domainOf({ client, sender }: { readonly client: ClientJudgement; readonly sender: Sender }, ground: CheckGround): Promise<{ outcome: Awaited<ReturnType<typeof checkSenderDomain>>; trace: CheckTrace } | undefined> {
  if (!client.wants('sender_domain')) return undefined
  return traced('sender_domain', ground, {
    run: (resolver) => checkSenderDomain(sender.address === null ? null : sender.domain, resolver),
    describe: (found) => (found.status === 'fail' ? [found.result, found.cause] : [found.status, found.status === 'temperror' ? found.cause : '']),
  })
}
