/**
 * Several questions at once, but not more than so many; and what a failed one
 * says as the cause of a result. Answers come in the order of the questions.
 */
import type { Failure } from '../dns/resolver.ts'

/** @param ask must not reject, as no look-up does */
export async function atOnce<Q, R>(questions: readonly Q[], most: number, ask: (question: Q) => Promise<R>): Promise<R[]> {
  if (questions.length <= most) return Promise.all(questions.map((question) => ask(question)))
  const answers = new Map<number, R>()
  const waiting = questions.entries()
  const worker = async (): Promise<void> => {
    // One iterator for all: each takes the next question that nobody has taken.
    for (const [at, question] of waiting) answers.set(at, await ask(question))
  }
  await Promise.all(Array.from({ length: Math.min(most, questions.length) }, worker))
  return [...answers.entries()].sort(([a], [b]) => a - b).map(([, answer]) => answer)
}

/** A sentence about a question that got no answer. */
export function failureCause(question: string, { status, cause }: Failure): string {
  return `${question}: ${status} (${cause})`
}
