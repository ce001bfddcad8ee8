/**
 * The engines of a configuration, asked all at once. `scan` resolves when each
 * has answered, or has had its time; it never rejects. A message must not be
 * discarded before that.
 */
import { createClamav } from './clamav.ts'
import type { Engine, EngineAdapter, EngineContext, EngineHealth, EngineMessage, EngineOutcome } from './engine.ts'
import { GuardedEngine } from './guarded-engine.ts'
import { contributionOf, mostTakenAway, type Contribution } from './points.ts'
import { createRspamd } from './rspamd.ts'
import type { ClamavSettings, EngineKind, EngineSettings } from './settings.ts'
import { createSpamAssassin } from './spamassassin.ts'
import { createSpamscanner } from './spamscanner.ts'

export interface EngineReport {
  readonly engine: string
  readonly kind: EngineKind
  readonly outcome: EngineOutcome
  /** of a score: what it is worth here */
  readonly contribution: Contribution | undefined
  /** what the configuration wants where it could not judge */
  readonly down: EngineSettings['down']
  readonly tooBig: ClamavSettings['tooBig']
  /** points that it could have taken away, as a number up to 0 */
  readonly least: number
  readonly tookMs: number
}

export interface Engines {
  readonly engines: readonly Engine[]
  /** in the order of the configuration */
  scan(message: EngineMessage): Promise<readonly EngineReport[]>
  health(): readonly (EngineHealth & { readonly engine: string; readonly kind: EngineKind })[]
  close(): void
}

export function createEngines(settings: readonly EngineSettings[], context: EngineContext): Engines {
  const all = settings.map((one) => ({ settings: one, engine: createEngine(one, context), tooBig: one.kind === 'clamav' ? one.tooBig : 'flow', least: mostTakenAway(one.counts) } as const))
  return {
    engines: all.map(({ engine }) => engine),
    scan: (message) => Promise.all(all.map(async ({ settings: { name, kind, counts, down }, engine, tooBig, least }): Promise<EngineReport> => {
      const beganMs = context.clock.nowMs()
      const outcome = await engine.scan(message)
      const contribution = outcome.status === 'scored' ? contributionOf(outcome, counts) : undefined
      return { engine: name, kind, outcome, contribution, down, tooBig, least, tookMs: Math.round(context.clock.nowMs() - beganMs) }
    })),
    health: () => all.map(({ settings: { name, kind }, engine }) => ({ engine: name, kind, ...engine.health() })),
    close: () => all.forEach(({ engine }) => engine.close()),
  }
}

export function createEngine(settings: EngineSettings, context: EngineContext): Engine {
  return new GuardedEngine(adapterOf(settings, context), settings.kind === 'spamscanner' ? { ...settings, scans: 1 } : settings, context)
}

function adapterOf(settings: EngineSettings, context: EngineContext): EngineAdapter {
  switch (settings.kind) {
    case 'rspamd': return createRspamd(settings, context)
    case 'spamassassin': return createSpamAssassin(settings)
    case 'clamav': return createClamav(settings)
    case 'spamscanner': return createSpamscanner(settings, context)
  }
}
