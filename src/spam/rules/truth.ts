/**
 * Logic with three values, for conditions over facts that may not be known:
 * true, false, and undefined for what nobody can tell. Where one side decides,
 * the other does not matter (Kleene). A rule hits where its condition is true;
 * so what is not known makes neither a condition hold nor its opposite.
 */
export type Truth = boolean | undefined

/** The same as numbers. */
export const NO = 0
export const UNKNOWN = 1
export const YES = 2
export type Answer = typeof NO | typeof UNKNOWN | typeof YES

export function answerOf(truth: Truth): Answer {
  return truth === undefined ? UNKNOWN : truth ? YES : NO
}

export function truthOf(answer: Answer): Truth {
  return answer === UNKNOWN ? undefined : answer === YES
}

/** About a message, or about something in it. */
type Ask<A, B> = (one: A, other: B) => Truth

export function not(value: Truth): Truth {
  return value === undefined ? undefined : !value
}

/** True where one of the things is; asks no further then. */
export function ofOne<T>(things: readonly T[], ask: (thing: T) => Truth): Truth {
  let known = true
  for (let at = 0; at < things.length; at++) {
    const answer = ask(things[at] as T)
    if (answer === true) return true
    if (answer === undefined) known = false
  }
  return known ? false : undefined
}

/** True where one of the answers is; asks no further then. */
export function anyOf<A, B = undefined>(asks: readonly Ask<A, B>[], one: A, other?: B): Truth {
  let known = true
  for (let at = 0; at < asks.length; at++) {
    const answer = (asks[at] as Ask<A, B>)(one, other as B)
    if (answer === true) return true
    if (answer === undefined) known = false
  }
  return known ? false : undefined
}

/** False where one of the answers is; asks no further then. */
export function allOf<A, B = undefined>(asks: readonly Ask<A, B>[], one: A, other?: B): Truth {
  let known = true
  for (let at = 0; at < asks.length; at++) {
    const answer = (asks[at] as Ask<A, B>)(one, other as B)
    if (answer === false) return false
    if (answer === undefined) known = false
  }
  return known ? true : undefined
}
