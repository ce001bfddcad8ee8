/**
 * What `postern scan` says: of one message what became of it and why; of several
 * that of each, under its name, and in the end how many there were of a kind.
 */
import { isatty } from 'node:tty'
import type { TellingWord } from '../inbound/scoring.ts'
import { painter, wantsColour } from '../observe/readable.ts'
import { clean, describeDecision, section } from './decision-output.ts'
import { EXIT } from './exit-codes.ts'
import { safeLines } from './quarantine-output.ts'
import { safeJson } from './safe-json.ts'
import type { ScanRequest } from './scan-command.ts'
import type { Scanned } from './scan-judge.ts'
import type { Place } from './scan-sources.ts'

export interface ScanOutput {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly environment: Readonly<Record<string, string | undefined>>
  /** whether a person reads standard output; default: whether it is a terminal */
  readonly terminal?: boolean
  /** milliseconds since 1970 */
  readonly now: () => number
}

const EXIT_BY_ACTION = { accept: 0, quarantine: 2, tempfail: 4, reject: 5 } as const
const WORDS = { accept: 'accepted', quarantine: 'put into quarantine', tempfail: 'put off', reject: 'refused' } as const
/** So many that cannot be read are named, the others counted. */
const NAMED = 10

export class ScanTally {
  readonly #request: Pick<ScanRequest, 'json' | 'exitCode'>
  readonly #io: ScanOutput
  readonly #counts = { accept: 0, quarantine: 0, tempfail: 0, reject: 0 }
  #several = false
  #unreadable = 0
  #dnsDown = false

  constructor(request: Pick<ScanRequest, 'json' | 'exitCode'>, io: ScanOutput) {
    this.#request = request
    this.#io = io
  }

  scanned(place: Place, scanned: Scanned): void {
    const { out, now } = this.#io
    const { file, number, alone } = place
    if (this.#request.json === true) out(`${safeJson({ ...(!alone && { file, ...(number !== undefined && { number }) }), ...asJson(scanned, now()) })}\n`)
    else out(`${alone ? '' : this.#heading(place)}${describe(scanned, now(), this.#io)}`)
    this.#several ||= !alone
    this.#dnsDown ||= scanned.dnsDown
    this.#counts[scanned.action]++
  }

  unreadable({ place: { file, number }, cause }: { readonly place: Place; readonly cause: string }): void {
    this.#unreadable++
    if (this.#unreadable <= NAMED) this.#io.err(`postern: ${file}${number === undefined ? '' : `, message ${number}`}: ${cause}${this.#unreadable === NAMED ? ' (others like it are only counted)' : ''}\n`)
  }

  /** @returns the exit code */
  end(): number {
    const { err } = this.#io
    if (this.#dnsDown) err('warning: no DNS server answers: nothing that rests on the DNS could be found out\n')
    const actions = (Object.keys(WORDS) as (keyof typeof WORDS)[]).filter((action) => this.#counts[action] > 0)
    if (this.#several && this.#request.json !== true) {
      const count = actions.reduce((sum, action) => sum + this.#counts[action], 0)
      const kinds = actions.map((action) => `${this.#counts[action]} ${WORDS[action]}`).join(', ')
      err(`${count} ${count === 1 ? 'message' : 'messages'}: ${kinds}${this.#unreadable === 0 ? '' : `; ${this.#unreadable} could not be read`}\n`)
    }
    if (this.#request.exitCode !== true) return EXIT.ok
    const worst = Math.max(...actions.map((action) => EXIT_BY_ACTION[action]))
    // Nobody is to take for wanted what was not read.
    return worst === EXIT.ok && this.#unreadable > 0 ? EXIT.data : worst
  }

  #heading({ file, number }: Place): string {
    const title = `${file}${number === undefined ? '' : `, message ${number}`}`
    return `${this.#several ? '\n' : ''}${painter(wantsColour(this.#io.terminal ?? isatty(1), this.#io.environment))('bold', title)}\n`
  }
}

const REMARKS = { greeting: 'the session would have ended there; the rest was looked at all the same', recipients: 'so the message would not have been taken; it was looked at all the same', message: undefined } as const

const ALONE = 'nothing is known of the connection (--ip): what rests on it was not checked, SPF and DMARC neither'

function describe({ record, stage, fields, exempt, alone, telling }: Scanned, at: number, { terminal, environment }: ScanOutput): string {
  const paint = painter(wantsColour(terminal ?? isatty(1), environment))
  const remark = exempt ? 'policy.exempt holds the client: its mail is passed on as it is' : REMARKS[stage] ?? (alone ? ALONE : undefined)
  const changes = [section('What the classifier went by', telling.map(tellingLine), paint), section('Fields added', (fields?.added ?? []).flatMap(fieldLines), paint), section('Fields removed', (fields?.removed ?? []).flatMap(fieldLines), paint)]
  return [describeDecision({ at, record, ...(remark !== undefined && { remark }) }, paint), ...changes.filter((lines) => lines.length > 0).map((lines) => lines.map((line) => `${line}\n`).join(''))].join('\n')
}

/** From `ham` (0) to `spam` (1), and how many learned messages of each had it. */
function tellingLine({ name, probability, ham, spam }: TellingWord): string {
  return `  ${probability.toFixed(3)}  ${clean(name)}  (wanted ${ham}, spam ${spam})`
}

function fieldLines(field: string): readonly string[] {
  return safeLines(field).split('\n').map((line) => `  ${line}`)
}

function asJson({ action, stage, record, fields, exempt, telling }: Scanned, at: number): Readonly<Record<string, unknown>> {
  const text = (field: string): string => Buffer.from(field, 'latin1').toString('utf8')
  return {
    at: new Date(at).toISOString(), action, stage, exempt, ...record, ...(telling.length > 0 && { telling }),
    ...(fields !== undefined && { fields: { added: fields.added.map(text), removed: fields.removed.map(text) } }),
  }
}
