/**
 * Reads the maps and keys that dkimproxy.out names, at its start and again at
 * SIGHUP. What is wrong with the `signature` lines or a map that cannot be read
 * is an error; what is wrong in a line of a map is a warning, since it concerns
 * the mail of that line alone.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Notice } from './given.ts'
import { KeyFiles } from './key-files.ts'
import { readMap, type MapEntry } from './map-file.ts'
import type { MapPlan, OutPlan, PlannedMap } from './out-signing.ts'
import type { OutSettings, Said } from './settings.ts'
import { splitSignatures } from './signature-words.ts'
import { planSignature, type SignatureDefaults, type SignaturePlan } from './signature-plan.ts'

export interface PlanReading {
  readonly plan: OutPlan
  readonly errors: readonly Notice[]
  readonly warnings: readonly Notice[]
}

/** @param cwd what relative paths are relative to: that of the start, also after the daemon has left it */
export function readOutPlan(settings: OutSettings, cwd: string): PlanReading {
  return new PlanReader(settings, cwd).read()
}

class PlanReader {
  private readonly errors: Notice[] = []
  private readonly warnings: Notice[] = []
  private readonly settings: OutSettings
  private readonly cwd: string
  private readonly keys: KeyFiles
  /** each is said once, at the first line that it is true of */
  private readonly said = new Set<string>()

  constructor(settings: OutSettings, cwd: string) {
    this.settings = settings
    this.cwd = cwd
    this.keys = new KeyFiles(cwd)
  }

  read(): PlanReading {
    const { settings } = this
    const signatures = settings.signatures.flatMap((said) => this.own(said))
    if (signatures.some(({ domain }) => domain === undefined) && settings.domains.length === 0) {
      this.errors.push({ place: settings.signatures[0]?.place ?? { file: undefined, line: 0 }, text: 'no domain is given; allowed: domain NAME, or several with commas' })
    }
    const plan = { domains: settings.domains, signatures, senderMap: this.map(settings.senderMap), listidMap: this.map(settings.listidMap) }
    return { plan, errors: this.errors, warnings: this.warnings }
  }

  private get defaults(): SignatureDefaults {
    const { keyfile, selector, method, identity } = this.settings
    return { keyfile: keyfile?.value, selector: selector?.value, method: method?.value, identity: identity?.value }
  }

  private own({ value, place }: Said): readonly SignaturePlan[] {
    const planned = planSignature(value, this.defaults, this.keys)
    if (planned.status === 'wrong') {
      this.errors.push({ place, text: planned.problem })
      return []
    }
    for (const text of planned.warnings) this.warn({ place, text })
    return planned.status === 'planned' ? [planned.plan] : []
  }

  private map(said: Said | undefined): PlannedMap | undefined {
    if (said === undefined) return undefined
    const file = resolve(this.cwd, said.value)
    let text: string
    try {
      text = readFileSync(file, 'latin1')
    } catch (error) {
      this.errors.push({ place: said.place, text: `${said.value} cannot be read: ${error instanceof Error ? error.message : String(error)}` })
      return undefined
    }
    const { map, warnings } = readMap(text, said.value)
    for (const warning of warnings) this.warn(warning)
    const plans = new Map<MapEntry, MapPlan>()
    for (const entry of map.entries.values()) plans.set(entry, this.entry(entry, said.value))
    return { map, plans }
  }

  private entry(entry: MapEntry, file: string): MapPlan {
    const place = { file, line: entry.line }
    const plans: SignaturePlan[] = []
    for (const text of splitSignatures(entry.value)) {
      const planned = planSignature(text, this.defaults, this.keys)
      if (planned.status === 'wrong') {
        this.warnings.push({ place, text: `${planned.problem}; mail of ${entry.key} cannot be signed` })
        return { status: 'wrong', problem: planned.problem }
      }
      for (const warning of planned.warnings) this.warn({ place, text: warning })
      if (planned.status === 'planned') plans.push(planned.plan)
    }
    return { status: 'planned', plans }
  }

  private warn(notice: Notice): void {
    if (this.said.has(notice.text)) return
    this.said.add(notice.text)
    this.warnings.push(notice)
  }
}
