/**
 * bogofilter (Debian package `bogofilter`) as a yardstick for
 * `bench/accuracy.ts`: the same messages, in the same split, each test with a
 * word list of its own in a temporary directory; as it comes, without a
 * configuration file.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MESSAGE_CLASSES } from '../src/spam/bayes/store.ts'
import type { CorpusMessage } from './accuracy-corpus.ts'

/** What it calls spam by default. */
export const BOGOFILTER_CUTOFF = 0.99

const MAX_OUTPUT = 64 * 1024 * 1024

export class Bogofilter {
  readonly #program: string
  readonly #directory = mkdtempSync(join(tmpdir(), 'accuracy-'))
  readonly #files = new Map<CorpusMessage, string>()
  #lists = 0

  constructor(program: string, messages: readonly CorpusMessage[]) {
    this.#program = program
    for (const [index, message] of messages.entries()) {
      const file = join(this.#directory, String(index))
      writeFileSync(file, message.bytes.toString('latin1').replace(/\r\n/g, '\n'), 'latin1')
      this.#files.set(message, file)
    }
  }

  /** undefined: there is no such program */
  static version(program: string): string | undefined {
    const { status, stdout } = spawnSync(program, ['-V'], { encoding: 'utf8' })
    return status === 0 ? /\d[\d.]*\d/.exec(stdout)?.[0] ?? 'unknown' : undefined
  }

  /** Its score of each tested message, 0 to 1. */
  judge(training: readonly CorpusMessage[], tested: readonly CorpusMessage[]): number[] {
    const directory = join(this.#directory, `list-${this.#lists++}`)
    mkdirSync(directory)
    for (const one of MESSAGE_CLASSES) this.#run(['-d', directory, one === 'ham' ? '-n' : '-s'], training.filter((message) => message.class === one))
    const lines = this.#run(['-d', directory, '-T'], tested).trim().split('\n')
    const scores = new Map(lines.map((line) => {
      const [file = '', , score] = line.split(/\s+/)
      return [file, Number(score)]
    }))
    rmSync(directory, { recursive: true })
    return tested.map((message) => {
      const score = scores.get(this.#files.get(message) ?? '')
      if (score === undefined || !Number.isFinite(score)) throw new Error(`bogofilter says nothing of ${message.name}`)
      return score
    })
  }

  #run(options: readonly string[], messages: readonly CorpusMessage[]): string {
    const input = messages.map((message) => `${this.#files.get(message) ?? ''}\n`).join('')
    const { status, stdout, stderr } = spawnSync(this.#program, ['-C', ...options, '-b'], { input, encoding: 'utf8', maxBuffer: MAX_OUTPUT })
    // 0 to 2 are verdicts.
    if (status === null || status > 2) throw new Error(`bogofilter failed: ${stderr}`)
    return stdout
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
