/**
 * `postern why`: explains a decision, or shows where the shadow policy
 * disagrees. Reads the database of the state directory, whether the gateway runs
 * or not, and writes nothing.
 *
 * Exit codes of sysexits(3): 0 shown; 64 wrong arguments, or the beginning of
 * several IDs; 65 the decision or the database cannot be understood; 66 no such
 * decision, no database, or no configuration file; 75 the database is busy; 77
 * no permission; 78 the configuration is wrong.
 */
import { isatty } from 'node:tty'
import { duration, integer, type Reading } from '../config/format.ts'
import type { DecisionRecord } from '../inbound/decision-record.ts'
import { escapeControls, painter, wantsColour, type Paint } from '../observe/readable.ts'
import { DecisionReader, MIN_PREFIX, type CountedVerdict, type Disagreement, type DisagreementCount } from '../state/decision-reader.ts'
import type { StoredDecision } from '../state/decisions.ts'
import { configured, type ConfiguredIo } from './configured.ts'
import { clean, describeDecision, section, verdictWord } from './decision-output.ts'
import { isMapping, readDecisionRecord } from './decision-shape.ts'
import { EXIT, ExitError } from './exit-codes.ts'
import { readDatabase } from './read-database.ts'
import { safeJson } from './safe-json.ts'
import type { WhyRequest } from './why-command.ts'

export interface WhyIo extends ConfiguredIo {
  readonly out: (text: string) => void
  /** whether a person reads standard output; default: whether it is a terminal */
  readonly terminal?: boolean
  /** milliseconds since 1970; default: the time of day */
  readonly now?: () => number
}

const DEFAULT_SINCE = '1d'
const DEFAULT_LIMIT = '50'
/** Whoever tries a gateway from its own machine wonders. */
const UNCHECKED = 'clients in policy.exempt are not checked, which are this machine and unix sockets unless you say otherwise; nor is what goes out'

export function runWhy(request: WhyRequest, io: WhyIo): number {
  const id = wantedId(request)
  const found = configured(request.config, io)
  if (found.status === 'refused') return found.exitCode
  const { settings: { state }, source } = found
  return readDatabase(state, {
    read(database) {
      const reader = new DecisionReader(database)
      return id === undefined ? difference(request, reader, io) : explain(id, request, { reader, io })
    },
    missing(path) {
      throw new ExitError(EXIT.noInput, `there are no decisions in ${state}: ${path} does not exist. The gateway makes it when it starts; "state" in ${source} says where`)
    },
  })
}

/** As it is pasted from a reply: `(ABCD234567)`. Undefined where differences are asked for. */
function wantedId({ id, diff }: WhyRequest): string | undefined {
  if (diff === true) {
    if (id === undefined) return undefined
    throw new ExitError(EXIT.usage, '--diff, --since and --limit are about all decisions: leave the ID out')
  }
  const bare = id?.trim().replace(/^\((.*)\)$/, '$1')
  if (bare !== undefined && /^[A-Za-z0-9]{1,64}$/.test(bare)) return bare
  throw new ExitError(EXIT.usage, id === undefined ? 'which decision? Give its ID, which stands in the reply, in Received and in the log; or --diff' : `${escapeControls(id)} is no decision ID; allowed: letters and digits`)
}

/* --- one decision --- */

function explain(id: string, { json }: WhyRequest, { reader, io }: { readonly reader: DecisionReader; readonly io: WhyIo }): number {
  const found = reader.find(id)
  switch (found.status) {
    case 'ambiguous': throw new ExitError(EXIT.usage, `${id} is the beginning of several: ${found.ids.join(', ')}${found.ids.length < 10 ? '' : ' …'}`)
    case 'none': throw new ExitError(EXIT.noInput, `there is no decision ${id}${id.length < MIN_PREFIX ? `; the beginning of an ID has at least ${MIN_PREFIX} characters` : '; decisions.max_age and decisions.max_count say how long they are kept'}`)
    case 'found': {
      const { decision } = found
      io.out(json === true ? `${asJson(decision)}\n` : describeStored(decision, paintOf(io)))
      return EXIT.ok
    }
  }
}

function describeStored({ id, at, record }: StoredDecision, paint: Paint): string {
  const readable = readDecisionRecord(record)
  if (readable !== undefined) return describeDecision({ at, record: readable, ...(isUnchecked(readable) && { remark: UNCHECKED }) }, paint)
  if ('tooLong' in record) throw new ExitError(EXIT.data, `decision ${id} of ${new Date(at).toISOString()} was too long to be stored`)
  throw new ExitError(EXIT.data, `decision ${id} has a form that this version does not know; --json shows it`)
}

function isUnchecked({ transaction, verdict }: DecisionRecord): boolean {
  return verdict === undefined && transaction.verdict === 'accept'
}

function asJson({ id, at, action, record }: { readonly id: string; readonly at: number; readonly action?: string; readonly record: unknown }): string {
  return safeJson({ id, at: new Date(at).toISOString(), ...(action !== undefined && { action }), ...(isMapping(record) && record) })
}

/* --- the shadow policy --- */

function difference({ json, since, limit }: WhyRequest, reader: DecisionReader, io: WhyIo): number {
  const now = (io.now ?? Date.now)()
  const sinceMs = value('--since', duration({ min: '1s', max: '36500d' }).read(since ?? DEFAULT_SINCE))
  const most = value('--limit', integer({ min: 1, max: 100_000 }).read(limit ?? DEFAULT_LIMIT))
  const { listed, counts, decisions, cut } = reader.disagreements({ since: now - sinceMs, limit: most })
  const total = counts.reduce((sum, { count }) => sum + count, 0)
  if (json === true) {
    io.out(listed.map((one) => `${asJson(one)}\n`).join(''))
    io.out(`${safeJson({ summary: { since: new Date(now - sinceMs).toISOString(), decisions, disagree: total, cut, counts: summed(counts) } })}\n`)
    return EXIT.ok
  }
  io.out(listed.map(describeDisagreement).join(''))
  if (total > listed.length) io.out(`… and ${total - listed.length} more: --limit shows them\n`)
  const lines = summed(counts).map(({ live, shadow, by, count }) => `  ${String(count).padStart(7)}  ${live} → ${shadow}, by ${by}`)
  io.out(`${listed.length === 0 ? '' : '\n'}${section(`In ${total} of ${decisions} decisions the shadow policy disagrees`, lines.length === 0 ? ['  nothing would have changed'] : lines, paintOf(io)).join('\n')}\n`)
  if (cut) io.err(`only the newest ${decisions} decisions were looked at\n`)
  return EXIT.ok
}

function describeDisagreement({ id, at, record }: Disagreement): string {
  const { transaction, verdict, shadow } = readDecisionRecord(record) ?? {}
  if (transaction === undefined || verdict === undefined || shadow === undefined) return `${id.padEnd(10)}  has a form that this version does not know\n`
  const { client, from, rcpts } = transaction
  const envelope = `${address(from)} → ${Array.isArray(rcpts) && rcpts.length > 0 ? `${address(rcpts[0])}${rcpts.length > 1 ? ` and ${rcpts.length - 1} more` : ''}` : '(nobody)'}`
  const outcome = `${verdictWord(verdict)} → ${verdictWord(shadow)}, by ${decider({ live: verdict, shadow })}`
  return `${[id.padEnd(10), `${new Date(at).toISOString().slice(0, 19)}Z`, outcome.padEnd(36), typeof client === 'string' ? clean(client) : 'local', envelope].join('  ')}\n`
}

function address(value: unknown): string {
  return typeof value !== 'string' || value === '' ? '<>' : clean(value)
}

interface Summed {
  readonly live: string
  readonly shadow: string
  readonly by: string
  readonly count: number
}

/** By what people see: two actions, and the check that makes the difference. */
function summed(counts: readonly DisagreementCount[]): readonly Summed[] {
  const sums = new Map<string, Summed>()
  for (const one of counts) {
    const [live, shadow, by] = [verdictWord(one.live), verdictWord(one.shadow), clean(decider(one))]
    const key = JSON.stringify([live, shadow, by])
    sums.set(key, { live, shadow, by, count: (sums.get(key)?.count ?? 0) + one.count })
  }
  return [...sums.values()].sort((a, b) => b.count - a.count)
}

const SEVERITY = ['accept', 'quarantine', 'tempfail', 'reject', 'disconnect']

/** What the severer of the two goes by. */
function decider({ live, shadow }: { readonly live: CountedVerdict; readonly shadow: CountedVerdict }): string {
  const severer = SEVERITY.indexOf(live.action) > SEVERITY.indexOf(shadow.action) ? live : shadow
  return severer.by ?? 'score'
}

/* --- surroundings --- */

function paintOf({ terminal, environment }: WhyIo): Paint {
  return painter(wantsColour(terminal ?? isatty(1), environment))
}

/** Of an option; what is wrong with it is wrong usage. */
function value<T>(option: string, reading: Reading<T>): T {
  if (reading.status === 'read') return reading.value
  throw new ExitError(EXIT.usage, reading.problems.map(({ problem, allowed }) => `${option}: ${problem}${allowed === undefined ? '' : `; allowed: ${allowed}`}`).join('; '))
}
