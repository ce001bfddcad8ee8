/** What `bench/fit-rules.ts` tells, in Markdown. Pure. */
import { basename } from 'node:path'
import { hundredths, type Judgement, type Spread } from './fit-judge.ts'
import type { Mail, Split } from './fit-mail.ts'
import { ENOUGH, type Counts } from './fit-scores.ts'

export const THRESHOLD = 5
const NEAREST = 20

type Scoring = (one: Judgement) => number

const byAuthors: Scoring = ({ authors }) => authors
const byRules: Scoring = ({ rules }) => rules
const byClassifier: Scoring = ({ classifier }) => classifier
const bothByAuthors: Scoring = ({ authors, classifier }) => hundredths(authors + classifier)
const both: Scoring = ({ rules, classifier }) => hundredths(rules + classifier)

export function accuracy(judgements: readonly Judgement[]): string {
  const titles: Readonly<Record<Exclude<Split['name'], 'few'>, string>> = { time: 'Fitted and taught with the older half, judged on the newer', folds: 'Fitted and taught with the other folds' }
  return Object.entries(titles).map(([split, title]) => {
    const those = judgements.filter((one) => one.split === split)
    const wanted = those.filter(({ unwanted }) => !unwanted).length
    const row = (name: string, scoring: Scoring): string => {
      const above = (points: number, unwanted: boolean): number => those.filter((one) => one.unwanted === unwanted && scoring(one) >= points).length
      const caught = above(THRESHOLD, true)
      return `| ${name} | ${above(3, false)} | ${above(4, false)} | ${above(THRESHOLD, false)} of ${wanted} | ${caught} of ${those.length - wanted} | ${((100 * caught) / Math.max(1, those.length - wanted)).toFixed(2)} % |`
    }
    return `${title}:\n\n| | wanted ≥ 3 | ≥ 4 | ≥ ${THRESHOLD} | unwanted ≥ ${THRESHOLD} | |\n|---|---|---|---|---|---|\n${[
      row("rules, authors' scores", byAuthors), row('rules, fitted', byRules), row('classifier', byClassifier),
      row("both, authors' scores", bothByAuthors), row('**both, fitted**', both),
    ].join('\n')}\n`
  }).join('\n')
}

export function spreads(tried: readonly Spread[], chosen: number): string {
  return `| spread | loss of a message held out | ± |\n|---|---|---|\n${tried.map(({ spread, loss, error }) => `| ${spread === chosen ? `**${spread}**` : spread} | ${loss.toFixed(4)} | ${error.toFixed(4)} |`).join('\n')}\n`
}

function countsOf({ rules, hits, messages }: Mail): Counts[] {
  const counts = rules.map(() => ({ wanted: 0, unwanted: 0 }))
  hits.forEach((numbers, at) => {
    for (const number of numbers) {
      const count = counts[number]
      if (count !== undefined) count[messages[at]?.class === 'spam' ? 'unwanted' : 'wanted']++
    }
  })
  return counts
}

export function ruleTable(mail: Mail, fitted: ArrayLike<number>): string {
  const counts = countsOf(mail)
  const rows = mail.rules.map(({ id, source, prior }, number) => `| ${id} | ${basename(source)} | ${counts[number]?.wanted ?? 0} | ${counts[number]?.unwanted ?? 0} | ${prior} | ${fitted[number] ?? 0} |`)
  return `| rule | file | wanted | unwanted | author | fitted |\n|---|---|---|---|---|---|\n${rows.join('\n')}\n`
}

/** Rules that fell to 0, and those that hit wanted mail as often as unwanted. */
export function doubtful(mail: Mail, fitted: ArrayLike<number>): string {
  const counts = countsOf(mail)
  const unwanted = mail.messages.filter((message) => message.class === 'spam').length
  const wanted = mail.messages.length - unwanted
  const lines = mail.rules.flatMap(({ id, prior, fixed }, number) => {
    const count = counts[number] ?? { wanted: 0, unwanted: 0 }
    const wrong = prior > 0 === count.wanted / wanted >= count.unwanted / unwanted && count.wanted + count.unwanted >= ENOUGH
    const fell = fitted[number] === 0 && prior !== 0
    return fixed || !(wrong || fell) ? [] : [`- ${id}: ${count.wanted} wanted, ${count.unwanted} unwanted; ${prior} → ${fitted[number] ?? 0}${fell ? ', switched off' : ''}`]
  })
  return lines.length === 0 ? 'None.\n' : `${lines.join('\n')}\n`
}

/** Wanted messages that come nearest to the threshold, and unwanted ones that stay farthest below. */
export function nearest(mail: Mail, judgements: readonly Judgement[]): string {
  const folds = judgements.filter(({ split }) => split === 'folds')
  const line = (one: Judgement): string => `- ${mail.messages[one.at]?.name ?? ''}: ${both(one)} (rules ${one.rules}, classifier ${one.classifier})${one.hits.length > 0 ? ': ' : ''}${one.hits.map(({ rule, points }) => `${mail.rules[rule]?.id ?? ''} ${points}`).join(', ')}`
  const list = (unwanted: boolean, scoring: Scoring): string => folds.filter((one) => one.unwanted === unwanted).sort((one, other) => (unwanted ? scoring(one) - scoring(other) : scoring(other) - scoring(one))).slice(0, NEAREST).map(line).join('\n')
  return [
    `Wanted, rules and classifier:\n\n${list(false, both)}`,
    `Wanted, rules alone:\n\n${list(false, byRules)}`,
    `Unwanted, rules and classifier:\n\n${list(true, both)}`,
  ].join('\n\n') + '\n'
}
