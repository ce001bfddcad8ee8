/** Where a gateway has its rules from. */
import type { PackedRules } from './packed-rules.ts'
import type { RuleFilesSettings } from './rule-files.ts'

export interface RuleSource {
  /** somebody reads them already: to ask costs nothing */
  readonly underWay: boolean
  /** @param inUse what it resolves with where these cannot be had; undefined: there are none yet */
  read(settings: RuleFilesSettings, inUse?: PackedRules): Promise<PackedRules>
  /** Who takes those that were wanted and could be had only later, unasked. It rejects where they cannot be used. */
  onLate(take: (rules: PackedRules) => Promise<void>): void
  /** What became of the settings that rules were read for last: in force, or refused. */
  settle(kept: boolean): void
  close(): void
}
