/**
 * Those who judge in `bench/accuracy.ts` and `bench/fit-rules.ts`: the rules as
 * they come, and the classifier.
 */
import { MimeReader } from '../src/mime/reader.ts'
import { classify } from '../src/spam/bayes/classifier.ts'
import type { LinearModel } from '../src/spam/bayes/linear-model.ts'
import { trainLinear } from '../src/spam/bayes/linear-training.ts'
import { messageKey } from '../src/spam/bayes/message-key.ts'
import { singleTokens, tokenKeys, type KeptMessage } from '../src/spam/bayes/store.ts'
import { TokenTable } from '../src/spam/bayes/table.ts'
import type { TokenSet } from '../src/spam/bayes/token-set.ts'
import { readTokens } from '../src/spam/bayes/tokens.ts'
import { readContent } from '../src/spam/content/read-content.ts'
import type { ScoringFacts } from '../src/spam/facts.ts'
import { readRuleFiles } from '../src/spam/rules/folders.ts'
import { loadRules } from '../src/spam/rules/load.ts'
import type { CorpusMessage } from './accuracy-corpus.ts'

export interface Judged {
  readonly message: CorpusMessage
  /** points of the rules, and the rules that gave them */
  readonly rules: number
  readonly hits: string
  readonly tokens: TokenSet
  /** by which it is known again, hexadecimal */
  readonly key: string
  /** numbers of its tokens in the whole collection */
  readonly ids: Int32Array
}

export interface Collection {
  readonly judged: readonly Judged[]
  /** by number */
  readonly keys: Float64Array
}

/** Of connection and authentication an old message tells nothing. */
const NO_FACTS: ScoringFacts = { words: () => undefined, number: () => undefined }

export async function readCollection(messages: readonly CorpusMessage[]): Promise<Collection> {
  const { rules } = loadRules(await readRuleFiles({ shipped: true, paths: [] }))
  const numbers = new Map<number, number>()
  const judged = messages.map((message) => {
    const reader = new MimeReader()
    reader.write(message.bytes)
    const mime = reader.end()
    const content = readContent(mime)
    const { score, hits } = rules.evaluate(content, NO_FACTS)
    const tokens = readTokens(content, { ownHosts: new Set(), delivered: false })
    const ids = Int32Array.from(tokenKeys(tokens), (key) => {
      const known = numbers.get(key)
      if (known !== undefined) return known
      numbers.set(key, numbers.size)
      return numbers.size - 1
    })
    return { message, rules: score, hits: hits.map((hit) => hit.id).join(' '), tokens, ids, key: messageKey(mime).toString('hex') }
  })
  return { judged, keys: Float64Array.from(numbers.keys()) }
}

/** Points of the classifier for each of the tested, taught by the others. */
export function classifierPoints({ keys }: Collection, training: readonly Judged[], tested: readonly Judged[]): number[] {
  const counts = { ham: new Uint32Array(keys.length), spam: new Uint32Array(keys.length) }
  const messages = { ham: 0, spam: 0 }
  for (const { message, ids } of training) {
    messages[message.class]++
    const own = counts[message.class]
    for (const id of ids) own[id] = (own[id] ?? 0) + 1
  }
  const table = TokenTable.for(keys.length)
  table.add({ keys, ...counts })
  const trained = { table, ...messages, linear: linearOf(training) }
  return tested.map(({ tokens }) => classify(tokens, trained).points)
}

/** As the database has the messages: in the order of their keys, each once. */
function linearOf(training: readonly Judged[]): LinearModel | undefined {
  const byKey = new Map(training.map((judged) => [judged.key, judged]))
  const kept = [...byKey].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, { message, tokens }]): KeptMessage => ({ class: message.class, singles: singleTokens(tokens) }))
  const steps = trainLinear(kept)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value.status === 'trained' ? step.value.model : undefined
  }
}
