/**
 * The checks of the message itself: its authors, DKIM and ARC in one pass over
 * its bytes, and DMARC of each author domain, of which the one that fares worst
 * counts. Nothing throws; a message that cannot be read again is `temperror`.
 */
import type { ArcOutcome } from '../auth/arc.ts'
import { withoutPartial, type DkimOutcome } from '../auth/dkim.ts'
import { evaluateDmarc, type DmarcOutcome } from '../auth/dmarc.ts'
import { verifyMessage } from '../auth/message-authentication.ts'
import type { SpfOutcome } from '../auth/spf.ts'
import { readAuthors } from '../message/author.ts'
import { fieldsNamed, type HeaderSection } from '../message/header-section.ts'
import type { StoredMessage } from '../message/message.ts'
import type { CheckOutcome } from '../policy/outcome.ts'
import { arcOverride } from '../policy/arc-override.ts'
import { traced, type CheckGround, type CheckTrace } from './check-trace.ts'
import type { ClientJudgement } from './client-judgement.ts'
import { dkimOutcome, dmarcOutcome, unreadableAuthor } from './outcomes-message.ts'

export interface MessageFindings {
  readonly outcomes: readonly CheckOutcome[]
  readonly traces: readonly CheckTrace[]
  readonly fromDomains: readonly string[]
  readonly dkim: DkimOutcome | undefined
  readonly arc: ArcOutcome | undefined
  readonly dmarc: DmarcOutcome | undefined
}

export async function checkMessage(client: ClientJudgement, { body, section, spf }: { readonly body: StoredMessage; readonly section: HeaderSection; readonly spf: SpfOutcome | undefined }): Promise<MessageFindings> {
  const authors = readAuthors(fieldsNamed(section, 'from').map(({ value }) => value))
  const fromDomains = authors.status === 'domains' ? authors.domains : []
  if (!client.wants('dkim') && !client.wants('dmarc')) return { outcomes: [], traces: [], fromDomains, dkim: undefined, arc: undefined, dmarc: undefined }
  // What client and envelope have used up is not missing here.
  const ground = client.groundOfItsOwn()
  const signed = await traced('dkim', ground, {
    async run(resolver) {
      const { dkim, arc } = await verifyMessage({ memory: body.memory, chunks: () => body.chunks(), section }, resolver, client.inbound.services.date())
      return { dkim: client.inbound.settings.partialSignatures === 'accept' ? dkim : withoutPartial(dkim), arc }
    },
    describe: ({ dkim, arc }) => [dkim.status, [dkim.cause, ...dkim.signatures.map((one) => `${one.domain} ${one.selector}: ${one.status}${one.cause === '' ? '' : ` (${one.cause})`}`), `arc ${arc.status}${arc.cause === '' ? '' : ` (${arc.cause})`}`].filter((part) => part !== '').join('; ')],
  })
  const { dkim, arc } = signed.outcome
  const found = client.wants('dmarc') ? await dmarcOf(client.groundOfItsOwn(), { fromDomains, spf, dkim }) : undefined
  const dmarc = found?.outcome
  const { trustedSealers } = client.inbound.settings
  const rescue = dmarc?.status === 'fail' && trustedSealers.length > 0 ? arcOverride({ arc, trustedSealers, fromDomains }) : undefined
  return {
    outcomes: [dkimOutcome(dkim), ...(dmarc === undefined ? [] : authors.status === 'malformed' ? [unreadableAuthor(authors.cause)] : [dmarcOutcome(dmarc, rescue)])],
    traces: [
      signed.trace, ...(found === undefined ? [] : [found.trace]),
      ...(rescue === undefined || arc.status === 'none' ? [] : [{ check: 'arc', result: rescue.rescued ? 'rescued' : 'not-rescued', detail: rescue.why, ms: 0, dns: [] }]),
    ],
    fromDomains, dkim, arc, dmarc,
  }
}

async function dmarcOf(ground: CheckGround, { fromDomains, spf, dkim }: { readonly fromDomains: readonly string[]; readonly spf: SpfOutcome | undefined; readonly dkim: DkimOutcome }): Promise<{ outcome: DmarcOutcome; trace: CheckTrace }> {
  return traced('dmarc', ground, {
    async run(resolver) {
      // Where there is no author domain the evaluation says so itself.
      const each = await Promise.all((fromDomains.length === 0 ? [''] : fromDomains).map((fromDomain) => evaluateDmarc({
        fromDomain, spf: spf === undefined ? null : { status: spf.status, domain: spf.domain }, dkim: dkim.signatures,
      }, resolver)))
      return worst(each)
    },
    describe: (found) => [found.status, [found.domain, found.record, found.cause].filter((part) => part !== null && part !== '').join('; ')],
  })
}

/** What speaks most against the message: several authors are no way around the policy of one. */
function worst(each: readonly DmarcOutcome[]): DmarcOutcome {
  const [first, ...others] = each.toSorted((a, b) => badness(b) - badness(a))
  if (first === undefined) throw new Error('DMARC of no author')
  return others.length === 0 ? first : { ...first, cause: `${first.cause === '' ? 'the' : `${first.cause}; the`} worst of ${each.length} author domains` }
}

function badness({ status, policy }: DmarcOutcome): number {
  switch (status) {
    case 'fail': return { reject: 7, quarantine: 6, none: 4 }[policy]
    case 'temperror': return 5
    case 'permerror': return 3
    case 'none': return 2
    case 'pass': return 1
  }
}
