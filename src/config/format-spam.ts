/** Formats of small things in `spam`: scores of rules, folders that teach. Pure; nothing throws. */
import { oneOf, read, refuse, textFormat } from './format.ts'
import type { Format } from './format.ts'
import { Keys } from './format-mapping.ts'
import type { LearnFolder } from '../scoring/learning-settings.ts'
import { isMapping, showValue } from './source.ts'

export interface RuleScore {
  readonly rule: string
  readonly score: number
}

/** `SUBJECT_SHOUTS 0.5` */
export const ruleScore: Format<RuleScore> = textFormat({ type: 'score', allowed: 'the name of a rule and its points, such as SUBJECT_SHOUTS 0.5; from -1000 to 1000' }, (text) => {
  const [, rule = '', score = ''] = /^([A-Za-z_][A-Za-z0-9_]{0,99})\s+(-?[0-9]{1,4}(?:\.[0-9]{1,3})?)$/.exec(text.trim()) ?? []
  return rule === '' || Math.abs(Number(score)) > 1000 ? refuse(`found ${showValue(text)}`) : read({ rule, score: Number(score) })
})

export const negativePoints: Format<number> = textFormat({ type: 'points', allowed: 'a number of points from -1000 to 0, such as -2', unit: 'points' }, (text) => {
  const value = /^-?[0-9]{1,4}(?:\.[0-9]{1,2})?$/.test(text) ? Number(text) : NaN
  return value <= 0 && value >= -1000 ? read(value) : refuse(`found ${showValue(text)}`)
})

/** A relative one is taken from the directory of the configuration file. */
const folderPath: Format<string> = textFormat({ type: 'path', allowed: 'a path, in which `*` stands for one whole name' }, (text) => {
  if (text === '') return refuse('found an empty path')
  const wild = text.split('/').find((name) => name.includes('*') && name !== '*')
  return wild === undefined ? read(text) : refuse(`found ${showValue(wild)} in it`)
})

/** `{ folder: PATH, as: spam }` */
export const learnFolder: Format<LearnFolder> = {
  type: 'folder',
  allowed: '{ folder: PATH, as: spam | ham }',
  parts: { folder: 'The path of a Maildir folder, the one with `cur` and `new` in it; `*` stands for any one name. Of what lies in `new` only what a user has moved there teaches.', as: '`spam` or `ham` (wanted).' },
  read(raw) {
    if (!isMapping(raw)) return refuse(`found ${showValue(raw)}`, this.allowed)
    const keys = new Keys(raw, ['folder', 'as'])
    const folder = keys.required('folder', folderPath)
    const as = keys.required('as', oneOf('spam', 'ham'))
    return folder === undefined || as === undefined || keys.problems.length > 0 ? { status: 'refused', problems: keys.problems } : read({ folder, as })
  },
}
