/**
 * Scoring as its users have it: the stage of policy-stage.ts with two workers
 * and a mapping under `spam`; Postern's other commands on the same
 * configuration; what a delivered message says of its score.
 *
 *     const stage = await startSpamStage({ spam: { bayes: { min_messages: 20 } } })
 *     const { output } = await postern(stage.gateway, 'why', id)
 *     const { spam, tests } = spamStatus(message)
 */
import { join } from 'node:path'
import type { Gateway } from './gateway.ts'
import { startStage, type Mail, type Stage, type StageOptions } from './policy-stage.ts'
import { ZONE } from './policy-zone.ts'
import { eventually, run, until, type Outcome } from './process.ts'

const MAIN = process.env['POSTERN_MAIN'] ?? join(import.meta.dirname, '../../src/main.ts')

type Mapping = Readonly<Record<string, unknown>>

export interface SpamStageOptions extends Partial<StageOptions> {
  /** the mapping under `spam` */
  readonly spam?: Mapping
}

export const WORKERS = 2

/** Of a stage that says nothing else. */
const POLICY = { early_talker_wait: '0s', spam: { reject: 'never' } }

/** No message is refused for its points unless the test says so. */
export function startSpamStage({ spam = {}, ...options }: SpamStageOptions = {}): Promise<Stage> {
  return startStage({ zone: ZONE, ...options, policy: { ...POLICY, ...options.policy }, root: { workers: WORKERS, spam, ...options.root } })
}

/** `postern WORDS… --config FILE` */
export function postern({ directory }: Gateway, ...words: readonly string[]): Promise<Outcome> {
  return run([process.execPath, MAIN, ...words, '--config', join(directory, 'postern.yaml')], { timeoutMs: 120_000 })
}

const LOOKS = 10

/** Until it is so; a reload now and then has the gateway look at folders and at what others have learned at once. */
export async function untilLooked(stage: Stage, what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    await stage.reload(POLICY)
    // A worker has a new model after five seconds.
    if (await eventually(condition, 8000)) return
  }
  throw new Error(`not so after ${LOOKS} looks: ${what}\n${stage.gateway.output()}`)
}

export interface SpamStatus {
  /** of the decision, as our Received has it */
  readonly id: string
  /** X-Spam-Flag */
  readonly spam: boolean
  readonly score: number
  readonly required: number
  readonly tests: readonly string[]
  /** everything above Authentication-Results */
  readonly fields: string
}

/** What stands above our Authentication-Results; an Error where nothing of a score does. */
export function spamStatus(message: Buffer | string): SpamStatus {
  const text = message.toString('latin1').replaceAll('\r\n', '\n')
  const end = text.search(/^Authentication-Results: gateway\.example;/m)
  const fields = text.slice(0, Math.max(0, end))
  const status = /^X-Spam-Status: (Yes|No),\s+score=(-?[\d.]+)\s+required=(-?[\d.]+)\s+tests=((?:[\w.,-]|\n[ \t])*)/m.exec(fields)
  if (status === null) throw new Error(`no X-Spam-Status of ours:\n${text.slice(0, 3000)}`)
  const [, , score, required, tests = ''] = status
  const id = /^Received: from [^]*?\sby gateway\.example with E?SMTPS? id (\w{10})\n/m.exec(text)?.[1] ?? ''
  return { id, spam: /^X-Spam-Flag: YES$/m.test(fields), score: Number(score), required: Number(required), tests: tests.replaceAll(/\s/g, '').split(',').filter((name) => name !== '' && name !== 'none'), fields }
}

/** Sends it and takes it out of its mailbox: what stands above it then. */
export async function sendAndTake(stage: Stage, client: string, mail: Mail = {}): Promise<SpamStatus> {
  const sent = await stage.swaks(client, mail)
  if (!sent.last.startsWith('250 ')) throw new Error(`not delivered: ${sent.output}`)
  const [message] = await stage.mailbox(mail.to?.split('@')[0] ?? 'alice').take(1)
  return spamStatus(message ?? '')
}

/** Sends it again and again until each worker has let it through with fields that fit; the last of them. */
export async function untilEachWorker(stage: Stage, client: string, { mail, fits }: { readonly mail: Mail; readonly fits: (found: SpamStatus) => boolean }): Promise<SpamStatus> {
  const agreed = new Set<unknown>()
  let last: SpamStatus | undefined
  await until('each worker says so', async () => {
    last = await sendAndTake(stage, client, mail)
    const { pid } = await stage.logged(last.id)
    if (fits(last)) agreed.add(pid)
    return agreed.size === WORKERS
  }, { timeoutMs: 60_000, detail: () => `${last?.fields ?? ''}\n${stage.gateway.output()}` })
  return last as SpamStatus
}

/** Until each worker has said it so often: what a start or a reload has read is in use from then on. */
export async function rulesRead(stage: Stage, times = 1): Promise<void> {
  const read = (): number => stage.gateway.log().filter(({ msg }) => msg === 'rules read').length
  await until('each worker has read its rules', () => read() >= WORKERS * times, { timeoutMs: 60_000, detail: () => stage.gateway.output() })
}
