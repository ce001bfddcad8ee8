/** What is wrong with the files that signing rests on: where, what, and what is allowed. Never what a key holds. */
export interface SigningProblem {
  /** path of the file */
  readonly file: string
  /** counted from 1; undefined where no line is at fault */
  readonly line: number | undefined
  readonly problem: string
  readonly allowed: string | undefined
  /** where the configuration names the file: `['signing', 'keys', 0, 'key']` */
  readonly key?: readonly (string | number)[]
}

/** One line for the operator: `/etc/dkim/KeyTable:3: …; allowed: …` */
export function describeSigningProblem({ file, line, problem, allowed }: SigningProblem): string {
  const text = `${file}${line === undefined ? '' : `:${line}`}: ${problem}${allowed === undefined ? '' : `; allowed: ${allowed}`}`
  // What a file holds is quoted, and may hold what a terminal would obey.
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '?')
}
