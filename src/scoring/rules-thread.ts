/**
 * A thread that reads the rules and ends: whoever started it goes on with his
 * work meanwhile. It gives a `ThreadAnswer` to the `ThreadTask` that is its
 * workerData; what is thrown here is a bug, and the thread's error.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { SampleProof } from '../spam/rules/load.ts'
import type { RuleProblem } from '../spam/rules/rule.ts'
import { packRules, type PackedRules } from './packed-rules.ts'
import { readRules, type RuleFilesSettings } from './rule-files.ts'

export interface ThreadTask {
  readonly settings: RuleFilesSettings
  readonly proof: SampleProof | undefined
}

export interface ThreadAnswer {
  readonly packed: PackedRules
  readonly problems: readonly RuleProblem[]
  readonly proof: SampleProof
}

if (parentPort !== null) {
  const { settings, proof } = workerData as ThreadTask
  const read = await readRules(settings, proof)
  const answer: ThreadAnswer = { packed: packRules(read), problems: read.problems, proof: read.proof }
  parentPort.postMessage(answer)
}
