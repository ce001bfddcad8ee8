/**
 * Scoring for one message that is only looked at (`postern scan`): with the
 * rules, the model and the engines that the gateway has, and the words behind
 * tokens. Nothing is written: whom users have written to, and what domains have
 * sent before, is not asked, and nothing is learned.
 */
import { readPasswordFile } from '../delivery/password-file.ts'
import type { Resolver } from '../dns/resolver.ts'
import { ALONE } from '../inbound/company.ts'
import type { Scoring } from '../inbound/scoring.ts'
import type { Log } from '../observe/log.ts'
import { createUriLists } from '../reputation/uri-lists.ts'
import { BayesTable } from '../spam/bayes/bayes-table.ts'
import { tokenSettings } from '../spam/bayes/tokens.ts'
import { createEngines } from '../spam/engines/create-engines.ts'
import { RuleSet } from '../spam/rules/rule-set.ts'
import { engineClock } from './engine-clock.ts'
import { MessageScoring } from './message-scoring.ts'
import { Room } from './room.ts'
import { readRules } from './rule-files.ts'
import type { ScoringSettings } from './scoring-services.ts'
import { tellProblems, tellRules } from './tell-rules.ts'

export interface ScanScoring {
  readonly scoring: Scoring
  /** lists count only once they have proved themselves */
  prove(): Promise<void>
  close(): void
}

/** One message at a time. */
const ROOM = { bytes: 64 * 1024 * 1024, waiting: 1, patienceMs: 30_000 }

export async function openScanScoring(settings: ScoringSettings, { log, resolver }: { readonly log: Log; readonly resolver: Resolver }): Promise<ScanScoring> {
  const read = await readRules(settings.rules)
  tellProblems(read.problems, log)
  tellRules({ rules: read.rules.length, problems: read.problems.length, passedOver: read.notes.length }, log)
  const rules = new RuleSet(read.rules)
  const table = new BayesTable(settings.state, log)
  table.refresh()
  const lists = createUriLists({ ...settings.uriLists, skip: [...(settings.uriLists.skip ?? []), ...settings.domains] }, { resolver, log, now: () => Date.now() })
  const engines = createEngines(settings.engines, { clock: engineClock, log, readPassword: readPasswordFile })
  return {
    scoring: new MessageScoring({
      lists, engines, correspondents: undefined, history: undefined, room: new Room(ROOM, engineClock), company: ALONE, named: true, log,
      rules: () => Promise.resolve(rules), rulesAreThere: () => true, trained: () => table.model, minMessages: settings.bayes.minMessages, tokens: tokenSettings({ hostname: settings.hostname, subjectPrefix: settings.bayes.subjectPrefix }), learn: () => undefined,
    }),
    prove: () => lists.tick(),
    close: () => engines.close(),
  }
}
