/** Scoring with real rules and content reader, and everybody else as a test wants them. */
import { ALONE } from '../../src/inbound/company.ts'
import { engineClock } from '../../src/scoring/engine-clock.ts'
import { Room } from '../../src/scoring/room.ts'
import { MessageScoring, type Lesson, type ScoringParts } from '../../src/scoring/message-scoring.ts'
import type { EngineReport } from '../../src/spam/engines/create-engines.ts'
import { loadRules } from '../../src/spam/rules/load.ts'
import { createUriLists } from '../../src/reputation/uri-lists.ts'
import { zoneMap } from './zone-map.ts'

export interface ScoringStage {
  readonly scoring: MessageScoring
  readonly lessons: Lesson[]
  /** what engines were handed */
  readonly scanned: { readonly sender: string; readonly recipients: readonly string[]; readonly id: string; readonly prefix: string }[]
}

const RULES = `rules:
  - id: GTUBE
    score: 1000
    why: The message holds the test string for spam filters
    when: { text: '/XJS\\*C4JDBQADN1\\.NSBN3\\*2IDNEN\\*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL\\*C\\.34X/' }
    hits: ['XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X']
    misses: [GTUBE is a test string]
  - id: SAYS_OFFER
    score: 2.5
    why: It says that it is an offer
    when: { text: '/\\bspecial offer\\b/i' }
    hits: [a special offer]
    misses: [an offer]
  - id: SPF_FAILS_AND_OFFERS
    score: 1
    why: It is an offer, and SPF fails
    when: { all: [SAYS_OFFER, { fact: spf, is: fail }] }
    hits: [{ facts: { spf: fail }, message: "Subject: x\\n\\na special offer" }]
    misses: [a special offer]
`

export function scoringStage(parts: Partial<ScoringParts> & { readonly reports?: readonly EngineReport[] } = {}): ScoringStage {
  const { rules, problems } = loadRules({ files: [{ source: 'test.yaml', text: RULES, site: false }] })
  if (problems.length > 0) throw new Error(problems.map(({ problem }) => problem).join('; '))
  const lessons: Lesson[] = []
  const scanned: ScoringStage['scanned'] = []
  const { reports = [], ...given } = parts
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  const scoring = new MessageScoring({
    rules: () => Promise.resolve(rules), rulesAreThere: () => true, trained: () => undefined, minMessages: 200, tokens: { ownHosts: new Set() },
    lists: createUriLists({ zones: [] }, { resolver: zoneMap({}), now: () => 0, log }),
    correspondents: undefined, history: undefined, room: new Room({ bytes: 1_000_000, waiting: 10, patienceMs: 30_000 }, engineClock), company: ALONE, named: false, log, learn: (lesson) => (lessons.push(lesson), undefined),
    engines: {
      engines: reports.map(({ engine }) => ({ name: engine, scan: () => Promise.reject(new Error('asked alone')), ping: () => Promise.resolve(undefined), health: () => { throw new Error('not asked') }, close: () => undefined })),
      scan(message) {
        scanned.push({ sender: message.sender, recipients: message.recipients, id: message.id, prefix: message.prefix?.toString('latin1') ?? '' })
        return Promise.resolve(reports)
      },
      health: () => [], close: () => undefined,
    },
    ...given,
  })
  return { scoring, lessons, scanned }
}
