/**
 * What the engine for patterns offers. Types only.
 *
 * A pattern is a regular expression in Perl's syntax. It never costs more than
 * linear time, or ends at a bound and says so. Patterns that look at the same
 * text are matched together: one pass over the text finds the literals that
 * each needs, and only those whose literals are there are tried, where they are.
 */

export interface Pattern {
  /** between the slashes */
  readonly source: string
  /** of `imsxn`, and `a` or `d` of Perl's: `a` leaves `\d \s \w` ASCII; `d` is for text that is bytes, where nothing but A to Z has case either */
  readonly flags: string
  /** literals (lower case) of which one must be in the text, case aside; with marks where one begins or ends a word (edges.ts); undefined: none are known */
  readonly needs: readonly string[] | undefined
  /** it begins so many code units behind the begin of a match (negative: before it); absent: anywhere */
  readonly needsAt?: { readonly least: number; readonly most: number }
  /** false: its time is bounded by the budget alone (back-references, looking further than a character, groups that forbid going back) */
  readonly linear: boolean
}

export type PatternReading =
  | { readonly status: 'read'; readonly pattern: Pattern }
  /** `at`: offset in the source */
  | { readonly status: 'refused'; readonly problem: string; readonly at: number }

/** What one message may spend on matching; shared by all its texts. */
export interface MatchBudget {
  /** false: used up; nothing more is matched */
  left(): boolean
  /** so many patterns could not be tried to their end; whether they match is not known */
  readonly exceeded: number
  /** steps that one try on so many code units may take now */
  allowance(units: number): number
  spend(steps: number): void
  /** one more that exceeded */
  overrun(): void
}

export interface SetScan {
  /** patterns that need literals, and have one of them in the text; all others that need some match nowhere */
  readonly candidates: readonly number[]
  /** does the pattern with this index in the set match anywhere in the text? undefined: it was cut short, however often it is asked */
  matches(index: number): boolean | undefined
  /** how often, without overlap; counts to `most`. undefined: it was cut short before */
  count(index: number, most: number): number | undefined
  /** what it matched first, at most 80 characters; undefined: nothing */
  excerpt(index: number): string | undefined
}
