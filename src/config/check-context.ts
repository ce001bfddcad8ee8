/** What every check of a configuration as a whole is given. */
import type { Machine } from './machine.ts'
import type { Purpose } from './model.ts'
import type { Collector } from './section.ts'

export interface CheckContext {
  readonly collector: Collector
  readonly machine: Machine
  /** directory that relative paths are taken from */
  readonly base: string
  readonly purpose: Purpose
}
