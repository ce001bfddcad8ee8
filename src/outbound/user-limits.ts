/**
 * How much one user may send in a time, counted over all workers. Whoever is
 * over a limit is an alarm in the log, since a jump means stolen credentials:
 * one line for a user and a minute, not one for each message.
 */
import type { Log } from '../observe/log.ts'
import type { RateOutcome, Rates } from '../reputation/rates.ts'

export interface UserLimits {
  /** What the user may not do now; undefined: it may, and it is counted. */
  count(what: 'messages' | 'recipients', login: string): { readonly most: number; readonly windowMs: number } | undefined
}

interface Context {
  readonly rates: Rates
  readonly log: Log
  readonly listener: string
  /** monotonic, milliseconds */
  readonly now: () => number
}

const ALARM_MS = 60_000
/** users that an alarm is remembered of */
const MAX_ALARMS = 10_000

export class CountedUserLimits implements UserLimits {
  private readonly context: Context
  private readonly alarms = new Map<string, number>()

  constructor(context: Context) {
    this.context = context
  }

  count(what: 'messages' | 'recipients', login: string): { readonly most: number; readonly windowMs: number } | undefined {
    const outcome = this.context.rates.count(what, { address: undefined, sender: { identity: login, authenticated: true } })
    if (outcome.status === 'within') return undefined
    this.alarm(login, outcome)
    return { most: outcome.most, windowMs: outcome.windowMs ?? 0 }
  }

  private alarm(login: string, { what, most, count, windowMs }: Extract<RateOutcome, { status: 'exceeded' }>): void {
    const { log, listener, now } = this.context
    const last = this.alarms.get(login)
    if (last !== undefined && now() - last < ALARM_MS) return
    if (this.alarms.size >= MAX_ALARMS) this.alarms.clear()
    this.alarms.set(login, now())
    log.error({ listener, login, what, most, count, windowMs }, 'a user sends more than its limit: if nobody expects it, its password may be stolen')
  }
}

const UNITS = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000]] as const

/** `1h`, `90s` */
export function windowText(windowMs: number): string {
  const [unit, ms] = UNITS.find(([, length]) => windowMs % length === 0) ?? (['ms', 1] as const)
  return `${windowMs / ms}${unit}`
}
