/**
 * A model of the classifier as large as it may become, for benches: its tokens
 * are those of the messages that are measured and of made-up ones, its counts
 * and weights anybody's. And how a message is read for scoring.
 */
import { MimeReader } from '../src/mime/reader.ts'
import { MAX_IMPORTANCE, packWeights, type LinearModel } from '../src/spam/bayes/linear-model.ts'
import { MAX_WEIGHTS } from '../src/spam/bayes/linear-training.ts'
import type { BayesModel } from '../src/spam/bayes/model-file.ts'
import { tokenKeys } from '../src/spam/bayes/store.ts'
import { TokenTable } from '../src/spam/bayes/table.ts'
import { PAIR_BIT } from '../src/spam/bayes/token-set.ts'
import { readTokens } from '../src/spam/bayes/tokens.ts'
import type { MessageContent } from '../src/spam/content.ts'
import { readContent } from '../src/spam/content/read-content.ts'
import { numbers, Words } from './spam-messages.ts'

const MODEL_TOKENS = 1_000_000
/** as the gateway gets them from the network */
const PIECE_BYTES = 65_536
export const TOKENS = { ownHosts: new Set<string>(), delivered: false }

export function read(bytes: Buffer): MessageContent {
  const reader = new MimeReader()
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) reader.write(bytes.subarray(at, at + PIECE_BYTES))
  return readContent(reader.end())
}

/** Half of the tokens of the messages are known from wanted mail, half from unwanted; the others are of nobody's mail. */
export function makeModel(messages: readonly Buffer[]): BayesModel {
  const counts = new Map<number, number>()
  const learn = (content: MessageContent): void => {
    for (const key of tokenKeys(readTokens(content, { ...TOKENS, delivered: true }))) counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  for (const bytes of messages) learn(read(bytes))
  const words = new Words(2)
  for (let n = 0; counts.size < MODEL_TOKENS; n++) learn(read(Buffer.from(`From: <w${n}@far.example>\r\nSubject: ${words.text(40, ' ')}\r\n\r\n${words.text(20_000)}\r\n`)))
  const random = numbers(3)
  const keys = Float64Array.from(counts.keys())
  const [ham, spam] = [new Uint32Array(keys.length), new Uint32Array(keys.length)]
  let at = 0
  for (const count of counts.values()) {
    // From one side only to evenly: what real tokens are like.
    const share = random()
    ham[at] = Math.round(count * share)
    spam[at] = count - (ham[at] ?? 0)
    at++
  }
  const table = TokenTable.for(keys.length)
  table.add({ keys, ham, spam })
  return { ham: 5000, spam: 5000, lessons: { hams: 5000, spams: 5000 }, tokens: keys.length, revision: 1, table, linear: makeLinear(keys, random), linearRevision: 1, linearLessons: { hams: 5000, spams: 5000 } }
}

/** As large as it may become; the weights are anybody's. */
function makeLinear(keys: Float64Array, random: () => number): LinearModel {
  const tokens = Uint32Array.from(keys.filter((key) => (Math.floor(key / 2 ** 32) & PAIR_BIT) === 0).subarray(0, MAX_WEIGHTS), (key) => key % 2 ** 32)
  return { ...packWeights({ tokens, importance: Float32Array.from(tokens, () => random() * MAX_IMPORTANCE), weights: Float64Array.from(tokens, () => random() - 0.5) }), bias: 0, wantedLimit: 1.5 }
}
