/**
 * `postern demo`: starts a gateway in this process, with Maildirs in a
 * temporary directory, sends samples through it and shows what became of each.
 * Exit code 0 where every outcome was the expected one, 70 where one was not,
 * 75 where no gateway could be started. Leaves nothing behind, also where it is
 * ended by a signal (128 and its number) or because nobody reads (0).
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { isatty } from 'node:tty'
import { loadText } from '../config/load.ts'
import { thisMachine } from '../config/machine.ts'
import { describeError } from '../config/problem.ts'
import type { Settings } from '../config/settings.ts'
import { createGateway, type Gateway } from '../gateway.ts'
import type { Log } from '../observe/log.ts'
import { escapeControls, formatSize, painter, wantsColour, type Paint } from '../observe/readable.ts'
import { DemoClient, type Outcome } from './demo/client.ts'
import { compare, type Findings } from './demo/judge.ts'
import { DEMO_ALIASES, DEMO_DOMAIN, DEMO_USERS, SAMPLES, type Sample } from './demo/samples.ts'
import { EXIT, ExitError } from './exit-codes.ts'

export interface DemoIo {
  readonly environment: NodeJS.ProcessEnv
  readonly out: (text: string) => void
  /** default: whether standard output is a terminal */
  readonly terminal?: boolean
  /** Calls `end`, with the exit code, when the demonstration is to end early. Returns what takes that off. Default: signals, and the end of whoever reads. */
  readonly onEnd?: (end: (exitCode: number) => void) => () => void
}

const CONFIGURATION = `
hostname: mx.example.org
state: state
workers: 0
listeners:
  - name: inbound
    role: inbound
    listen: 127.0.0.1:0
    next: local
hops:
  local:
    maildir: mail/{user}
    users: users
    aliases: aliases
domains: [${DEMO_DOMAIN}]
`

export async function runDemo(io: DemoIo): Promise<number> {
  const paint = painter(wantsColour(io.terminal ?? isatty(1), io.environment))
  const early = watchForEnd(io.onEnd ?? onProcessEnd)
  const directory = await mkdtemp(join(tmpdir(), 'postern-demo-'))
  const troubles: string[] = []
  const over = new AbortController()
  try {
    const gateway = createGateway(await prepare(directory), { log: troubleLog(troubles) })
    await gateway.start()
    try {
      return await Promise.race([show({ io, paint, directory, troubles, over: over.signal }, portOf(gateway)), early.ended])
    } finally {
      // The gateway would wait for a session that nobody goes on with.
      over.abort()
      await gateway.stop()
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
    early.forget()
  }
}

function watchForEnd(onEnd: NonNullable<DemoIo['onEnd']>): { readonly ended: Promise<number>; readonly forget: () => void } {
  let forget: () => void = () => undefined
  const ended = new Promise<number>((resolve) => {
    forget = onEnd(resolve)
  })
  return { ended, forget: () => forget() }
}

function onProcessEnd(end: (exitCode: number) => void): () => void {
  const unread = (): void => end(EXIT.ok)
  const listeners = (['SIGHUP', 'SIGINT', 'SIGTERM'] as const).map((name) => ({ name, listener: () => end(128 + constants.signals[name]) }))
  for (const { name, listener } of listeners) process.on(name, listener)
  process.stdout.on('error', unread)
  return () => {
    for (const { name, listener } of listeners) process.off(name, listener)
    process.stdout.off('error', unread)
  }
}

interface Stage {
  readonly io: DemoIo
  readonly paint: Paint
  readonly directory: string
  /** what the gateway had to complain about */
  readonly troubles: readonly string[]
  readonly over: AbortSignal
}

async function prepare(directory: string): Promise<Settings> {
  await mkdir(join(directory, 'mail'))
  await writeFile(join(directory, 'users'), DEMO_USERS.map((user) => `${user}:\n`).join(''))
  await writeFile(join(directory, 'aliases'), DEMO_ALIASES)
  // Variables of the environment are about the real gateway.
  const loaded = loadText(CONFIGURATION, { source: 'demo', base: directory, environment: {}, machine: thisMachine })
  if (loaded.status === 'ok') return loaded.settings
  throw new Error(loaded.status === 'invalid' ? loaded.errors.map(describeError).join('\n') : loaded.cause)
}

function troubleLog(troubles: string[]): Log {
  const note = (facts: Readonly<Record<string, unknown>>, text: string): void => {
    troubles.push(`${text} ${JSON.stringify(facts)}`)
  }
  return { debug: () => undefined, info: () => undefined, warn: note, error: note }
}

function portOf(gateway: Gateway): number {
  const address = gateway.addresses().get('inbound')?.[0]
  if (address?.kind !== 'tcp') throw new Error('the demonstration listens on TCP')
  return address.port
}

async function show(stage: Stage, port: number): Promise<number> {
  const { io, paint } = stage
  io.out(`${paint('bold', 'Postern demo')}: a gateway on 127.0.0.1:${port}, mail for ${DEMO_DOMAIN}, Maildirs in ${stage.directory}\n\n`)
  const client = await DemoClient.open({ host: '127.0.0.1', port, signal: stage.over })
  let wrong = 0
  for (const [index, sample] of SAMPLES.entries()) {
    const verdict = await judge(stage, sample, await client.send(sample))
    if (!verdict.asExpected) wrong++
    io.out(describe(paint, { number: index + 1, sample, verdict }))
  }
  await client.close()
  io.out(
    `${paint('yellow', 'Note')}: mail of this machine itself is not checked (policy.exempt), so the forgery and the virus were delivered unjudged.\n` +
      'Mail of others is: who sends it (SPF, DKIM, DMARC, block lists) and what it says (rules, a classifier, ClamAV where you have it).\n' +
      '"postern scan FILE --ip ADDRESS" shows that of any message in a file.\n\n',
  )
  for (const trouble of stage.troubles) io.out(`${paint('red', 'logged')}: ${escapeControls(trouble)}\n`)
  if (wrong === 0) io.out(`${paint('green', `All ${SAMPLES.length} as expected.`)} Mailboxes and gateway are removed again.\n`)
  else io.out(`${paint('red', `${wrong} of ${SAMPLES.length} not as expected.`)}\n`)
  return wrong === 0 ? EXIT.ok : EXIT.internal
}

interface Verdict {
  readonly outcome: Outcome
  readonly asExpected: boolean
  readonly details: readonly string[]
}

async function judge(stage: Stage, sample: Sample, outcome: Outcome): Promise<Verdict> {
  const { expected } = sample
  if (expected.kind === 'refused') {
    const asExpected = outcome.command === 'RCPT' && outcome.reply.startsWith(expected.reply)
    return { outcome, asExpected, details: ['the message itself was never sent, and the sender knows'] }
  }
  if (outcome.command !== 'message' || !outcome.reply.startsWith('250')) return { outcome, asExpected: false, details: [] }
  const found = await takeNew(join(stage.directory, 'mail', expected.mailbox, 'new'))
  if (found === undefined) return { outcome, asExpected: false, details: [`not exactly one new message in the mailbox ${expected.mailbox}`] }
  const where = `in ${expected.mailbox}/new, ${formatSize(found.length)} on disk`
  const comparison = compare(sample.message, found)
  if (comparison.status === 'different') return { outcome, asExpected: false, details: [where, comparison.cause] }
  return { outcome, asExpected: true, details: [where, ...describeFindings(comparison.findings)] }
}

/** The one new message of a mailbox, which is taken out of it. */
async function takeNew(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new ExitError(EXIT.internal, `a message was accepted and its mailbox cannot be read: ${String(error)}`)
  })
  const [name] = names
  if (name === undefined || names.length !== 1) return undefined
  const text = await readFile(join(folder, name), 'latin1')
  await rm(join(folder, name))
  return text
}

function describeFindings({ added, bareLineEnds, nuls }: Findings): readonly string[] {
  const mended = [
    ...(bareLineEnds > 0 ? [`${bareLineEnds} bare line ends made whole`] : []),
    ...(nuls > 0 ? [`${nuls} NUL taken out`] : []),
  ]
  return [`added on top: ${added.join(', ')}`, mended.length === 0 ? 'the rest is as it was sent, byte for byte (a file has LF where the wire has CRLF)' : `${mended.join(', ')}; nothing else changed`]
}

function describe(paint: Paint, { number, sample, verdict }: { number: number; sample: Sample; verdict: Verdict }): string {
  const { outcome, asExpected, details } = verdict
  const style = outcome.reply.startsWith('2') ? 'green' : outcome.reply.startsWith('4') ? 'yellow' : 'red'
  const at = outcome.command === 'message' ? '' : ` (to ${outcome.command})`
  const lines = [
    `${paint('bold', `${number}. ${sample.title}`)}: ${sample.about}`,
    `   ${sample.from} → ${sample.to}`,
    `   ${paint(style, escapeControls(outcome.reply))}${at}`,
    ...details.map((detail) => `   ${paint('dim', detail)}`),
  ]
  if (!asExpected) lines.push(`   ${paint('red', 'NOT AS EXPECTED')}`)
  return lines.join('\n') + '\n\n'
}
