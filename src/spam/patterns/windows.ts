/**
 * Where matches of a pattern may begin: windows of places, text by text, in
 * their order. Of a pattern without literals that is wherever it may still have
 * the run that it needs, or everywhere.
 */
import type { PreparedText } from './prepared-text.ts'
import { runsIn } from './required-run.ts'
import type { Run } from './required-run.ts'

/** Text, first place, last place, and again. */
export type Windows = readonly number[]

/** Some of those that were prepared together. */
export interface Texts {
  readonly first: number
  readonly behind: number
}

/** The windows of a pattern of which nothing is known. */
export function everywhere({ starts }: PreparedText, { first, behind }: Texts): Windows {
  const found: number[] = []
  for (let text = first; text < behind; text++) found.push(text, starts[text] as number, starts[text + 1] as number)
  return found
}

/** Those of one whose matches have a run in them, and are no longer than that. Undefined: there are none. */
export function aroundRuns({ run, longest }: { readonly run: Run; readonly longest: number }, { units, starts }: PreparedText, { first, behind }: Texts): Windows | undefined {
  const found: number[] = []
  for (let text = first; text < behind; text++) {
    const start = starts[text] as number
    const runs = runsIn(run, units, [start, starts[text + 1] as number])
    for (let at = 0; at < runs.length; at += 2) {
      const from = Math.max(start, (runs[at] as number) + run.least - longest)
      const until = (runs[at + 1] as number) - run.least
      const last = found.length - 3
      // Windows that touch are one.
      if (last >= 0 && found[last] === text && from <= (found[last + 2] as number) + 1) found[last + 2] = until
      else found.push(text, from, until)
    }
  }
  return found.length === 0 ? undefined : found
}
