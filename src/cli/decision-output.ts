/**
 * How a decision is shown to people, by `postern why` and `postern scan`: what
 * became of it, who it was, each check with the DNS answers behind it, what
 * counted, what was excused, what the shadow policy says, what would have
 * changed it. Pure. Everything that came from the network is escaped: no
 * control character of a stranger reaches a terminal.
 */
import type { CheckTrace } from '../inbound/check-trace.ts'
import type { DecisionRecord, RecordedVerdict } from '../inbound/decision-record.ts'
import { escapeControls, formatSize, type Paint, type Style } from '../observe/readable.ts'
import type { Effect } from '../policy/decide.ts'
import type { Thresholds } from '../policy/policy.ts'

export interface Shown {
  /** milliseconds since 1970 */
  readonly at: number
  readonly record: DecisionRecord
  /** where more is to be said behind what became of it */
  readonly remark?: string
}

const MAX_TEXT = 1000
const INDENT = '  '

export function describeDecision(shown: Shown, paint: Paint): string {
  const { record } = shown
  const sections = [
    headline(shown, paint),
    particulars(shown),
    section('Checks', record.checks.flatMap((check) => describeCheck(check, paint)), paint),
    section('What counted', counted(record, paint), paint),
    section('Refused recipients', record.refused.flatMap((one) => describeRefused(one, paint)), paint),
    section('Excused', record.verdict?.effects.flatMap(describeExcuse) ?? [], paint),
    section('The shadow policy', describeShadow(record), paint),
    section('What would have changed it', record.changes.map((sentence) => `${INDENT}${clean(sentence)}`), paint),
  ]
  return sections.filter((lines) => lines.length > 0).map((lines) => lines.map((line) => `${line.trimEnd()}\n`).join('')).join('\n')
}

/** A title and its lines; nothing where there are none. */
export function section(title: string, lines: readonly string[], paint: Paint): readonly string[] {
  return lines.length === 0 ? [] : [paint('bold', title), ...lines]
}

/** One line of a stranger's text, bounded. */
export function clean(text: string): string {
  const safe = escapeControls(text)
  return safe.length > MAX_TEXT ? `${safe.slice(0, MAX_TEXT)}…` : safe
}

/** Blanks behind the colour, so that they can be trimmed. */
function padded(text: string, width: number, paint: (text: string) => string): string {
  return paint(text) + ' '.repeat(Math.max(0, width - text.length))
}

/* --- what became of it --- */

const WORDS: Readonly<Record<string, readonly [Style, string]>> = {
  accept: ['green', 'accepted'],
  quarantine: ['yellow', 'put into quarantine'],
  tempfail: ['yellow', 'put off for later'],
  reject: ['red', 'refused'],
  disconnect: ['red', 'refused at the greeting'],
  refused: ['red', 'no recipient was accepted'],
  abandoned: ['yellow', 'the client went away before the end'],
}

function headline({ record, remark }: Shown, paint: Paint): readonly string[] {
  const { id, verdict, reply, refused } = record.transaction
  const [style, words] = WORDS[String(verdict)] ?? ['bold', clean(textOf(verdict))]
  const first = [id === undefined ? '' : `${paint('bold', clean(textOf(id)))}  `, paint(style, words), why(record), remark === undefined ? '' : `  (${clean(remark)})`].join('')
  const replies = reply === undefined ? [] : [`${INDENT}${clean(textOf(reply))}`]
  const refusals = Array.isArray(refused) ? refused.map((one) => `${INDENT}refused: ${clean(textOf(one))}`) : []
  return [first, ...replies, ...refusals]
}

function why({ transaction, verdict, checks }: DecisionRecord): string {
  if (verdict === undefined) return ', nothing was checked'
  if (verdict.action !== 'accept') return `, by ${verdict.by === 'score' ? 'its score' : clean(verdict.by ?? '')}`
  if (checks.some(({ check, result }) => check === 'greylist' && result === 'deferred')) return ', by greylisting'
  switch (transaction['verdict']) {
    case 'tempfail':
    case 'reject':
    case 'refused': return ', and not by the policy'
    default: return verdict.tagged ? ', tagged as spam' : ''
  }
}

/** How the verdict is called where two are compared. */
export function verdictWord({ action, tagged }: { readonly action: string; readonly tagged: boolean }): string {
  return tagged ? `${action} (tagged)` : action
}

/* --- who it was --- */

/** Facts that stand elsewhere, or below under words of their own. */
const ELSEWHERE = new Set(['id', 'verdict', 'reply', 'refused', 'score', 'tests', 'refusedCount'])

function particulars({ at, record: { transaction } }: Shown): readonly string[] {
  const { listener, client, helo, tls, from, rcpts, rcptCount, size, ms, learned, ...others } = transaction
  const rows: (readonly [string, string])[] = [
    ['when', `${new Date(at).toISOString().replace('T', ' ')}${typeof ms === 'number' ? `, took ${ms} ms` : ''}`],
    ...(listener === undefined ? [] : [['listener', textOf(listener)] as const]),
    ['client', [client === undefined ? 'a unix socket' : textOf(client), ...(helo === undefined ? [] : [`HELO ${textOf(helo)}`]), ...(tls === undefined ? [] : [textOf(tls)])].join(', ')],
    ...(from === undefined ? [] : [['from', from === '' ? '<>' : textOf(from)] as const]),
    ...(Array.isArray(rcpts) ? rcpts.map((one) => ['to', textOf(one)] as const) : []),
    ...(typeof rcptCount === 'number' ? [['to', `${rcptCount} recipients in all`] as const] : []),
    ...(typeof size === 'number' ? [['size', formatSize(size)] as const] : []),
    ...(learned === undefined ? [] : [['learned', `as ${textOf(learned)}, without being told (auto_learn)`] as const]),
    ...Object.entries(others).filter(([key, value]) => !ELSEWHERE.has(key) && value !== undefined).map(([key, value]) => [key, textOf(value)] as const),
  ]
  return rows.map(([name, value]) => `${clean(name).padEnd(10)} ${clean(value)}`)
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  // undefined, and what JSON has no form for, are shown as nothing.
  const json: unknown = JSON.stringify(value)
  return typeof json === 'string' ? json : ''
}

/* --- what was found out, and what came of it --- */

const GOOD = new Set(['pass', 'within', 'clean', 'passed', 'known', 'rescued'])
const UNKNOWN = new Set(['temperror', 'timeout', 'servfail', 'unavailable'])
const NEITHER = new Set(['none', 'neutral', 'not-rescued'])
const MAX_LOOK_UPS = 60

function styleOf(result: string): Style {
  if (GOOD.has(result)) return 'green'
  if (UNKNOWN.has(result)) return 'yellow'
  return NEITHER.has(result) ? 'dim' : 'red'
}

function describeCheck({ check, result, detail, ms, dns }: CheckTrace, paint: Paint): readonly string[] {
  const took = ms === 0 ? '' : paint('dim', `${ms} ms`)
  const first = `${INDENT}${clean(check).padEnd(14)} ${padded(clean(result), 12, (text) => paint(styleOf(result), text))} ${[clean(detail), took].filter((part) => part !== '').join('  ')}`
  return [first, ...dns.slice(0, MAX_LOOK_UPS).map((one) => {
    const answer = one.answer.length === 0 ? one.status : one.status === 'records' ? one.answer.join(' | ') : `${one.status}: ${one.answer.join(' ')}`
    return `${INDENT.repeat(3)}${paint('dim', `${clean(one.question)} → ${clean(answer)}  ${one.ms} ms`)}`
  })]
}

function counted({ verdict, thresholds }: DecisionRecord, paint: Paint): readonly string[] {
  if (verdict === undefined) return []
  return [...verdict.effects.flatMap((effect) => [describeEffect(effect, paint), ...describeParts(effect, paint)]), `${INDENT}${'score'.padEnd(14)} ${String(verdict.score).padStart(6)}  ${thresholdText(thresholds)}`]
}

function describeRefused({ recipient, verdict }: DecisionRecord['refused'][number], paint: Paint): readonly string[] {
  return [`${INDENT}${clean(recipient)}: ${describeVerdict(verdict)}`, ...verdict.effects.filter(({ effect }) => effect !== 'nothing').map((effect) => `${INDENT}${describeEffect(effect, paint)}`)]
}

const EFFECT_WORDS: Readonly<Record<string, string>> = { nothing: 'no consequence', score: 'points', warn: 'warning', excused: 'excused', deferred: 'waits for more', quarantine: 'quarantine', tempfail: 'tempfail', reject: 'reject', disconnect: 'disconnect' }

function describeEffect({ check, result, policy, effect, points }: Effect, paint: Paint): string {
  const sum = points === 0 ? '' : points > 0 ? `+${points}` : String(points)
  const words = EFFECT_WORDS[effect] ?? effect
  return `${INDENT}${clean(check).padEnd(14)} ${sum.padStart(6)}  ${padded(clean(words), 14, (text) => paint(isRefusal(effect) ? 'red' : 'bold', text))} ${clean(result)}  ${paint('dim', `(policy: ${clean(policy)})`)}`
}

const MAX_PARTS = 60

/** The rules that a check's points are made of. */
function describeParts({ parts = [], effect }: Effect, paint: Paint): readonly string[] {
  if (effect === 'nothing') return []
  const more = parts.length > MAX_PARTS ? [`${INDENT.repeat(3)}${paint('dim', `and ${parts.length - MAX_PARTS} more`)}`] : []
  return [...parts.slice(0, MAX_PARTS).map(({ name, points, why }) => {
    const sum = points > 0 ? `+${points}` : String(points)
    return `${INDENT.repeat(3)}${sum.padStart(7)}  ${clean(name)}  ${paint('dim', clean(why))}`
  }), ...more]
}

function isRefusal(effect: string): boolean {
  return effect === 'tempfail' || effect === 'reject' || effect === 'disconnect'
}

function thresholdText(thresholds: Thresholds | undefined): string {
  const given = (['tag', 'quarantine', 'reject'] as const).flatMap((name) => {
    const from = thresholds?.[name]
    return typeof from === 'number' ? [`${name} from ${from}`] : []
  })
  return given.length === 0 ? '' : `(${given.join(', ')})`
}

function describeExcuse({ check, result, policy, effect, exceptions }: Effect): readonly string[] {
  if (exceptions.length === 0) return []
  const about = `${INDENT}${clean(check)} ${clean(result)} (policy: ${clean(policy)})`
  const reasons = exceptions.map(clean).join('; ')
  switch (effect) {
    case 'excused': return [`${about}: ${reasons}`]
    case 'deferred': return [`${about} was not decided yet, it might still have been excused: ${reasons}`]
    default: return [`${about}: whether it was excused could not be found out: ${reasons}`]
  }
}

function describeShadow({ shadow, verdict }: DecisionRecord): readonly string[] {
  if (shadow === undefined) return []
  const differing = shadow.effects.filter((one) => one.effect !== 'nothing' && !verdict?.effects.some(({ check, effect, points }) => check === one.check && effect === one.effect && points === one.points))
  return [`${INDENT}would have said: ${describeVerdict(shadow)}`, ...differing.map((effect) => describeEffect(effect, (_style, text) => text))]
}

function describeVerdict({ action, by, score, tagged }: RecordedVerdict): string {
  return `${verdictWord({ action, tagged })}${by === undefined ? '' : ` by ${clean(by)}`}, score ${score}`
}
