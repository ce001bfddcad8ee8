/**
 * What may be learned of a verdict without being told: only what is beyond
 * doubt, by other evidence than the classifier's own (it would confirm itself)
 * and than one rule alone (evidence.ts), and only where the author is authenticated, so that nobody can teach us about
 * others. Pure.
 */
import type { Verdict } from '../policy/decide.ts'
import type { AuthenticatedAuthor } from '../reputation/authenticated-author.ts'
import { lessonScore, type Evidence } from './evidence.ts'

export function lessonOf({ verdict, author, evidence }: { readonly verdict: Verdict; readonly author: AuthenticatedAuthor | undefined; readonly evidence: Evidence }, bounds: { readonly spam: number; readonly ham: number }): 'spam' | 'ham' | undefined {
  if (author === undefined || verdict.action === 'tempfail') return undefined
  // What could not be found out may have changed everything.
  if (verdict.effects.some(({ status }) => status === 'temperror')) return undefined
  const score = lessonScore(verdict, evidence)
  if (score >= bounds.spam) return 'spam'
  // Something that speaks against it, and was only excused or noted, is a doubt.
  const doubted = verdict.effects.some(({ status, check, effect }) => effect === 'excused' || (status === 'fail' && check !== 'content' && check !== 'bayes'))
  // What counts here for little may have counted there for much.
  return Math.max(score, withoutOwn(verdict)) <= bounds.ham && !doubted && !verdict.tagged ? 'ham' : undefined
}

function withoutOwn({ score, effects }: Verdict): number {
  return effects.reduce((sum, { check, points }) => (check === 'bayes' ? sum - points : sum), score)
}
