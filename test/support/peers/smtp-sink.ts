/**
 * Postfix's smtp-sink: takes mail and throws it away, or fails in the way its
 * options tell (`-f`, `-r`, `-q`, `-Q`, `-W`, …). What it dumps can be read.
 */
import { chownSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { freePort } from '../ports.ts'
import { start, temporaryDirectory, until, untilGreets, type RunningProcess } from '../process.ts'
import { MAIL_USER } from './hop.ts'
import { account } from './programs.ts'

export interface SmtpSink {
  readonly port: number
  readonly target: string
  /** the files that `-d` made: envelope as X- fields, then the message */
  dumps(): string[]
  log(): string
  stop(): Promise<void>
  /** starts again at the same port, with other options */
  restart(options: readonly string[]): Promise<void>
}

export async function startSmtpSink(options: readonly string[] = []): Promise<SmtpSink> {
  const directory = temporaryDirectory('smtp-sink')
  const port = await freePort()
  const owner = account(MAIL_USER)
  const dump = join(directory, 'dump')
  mkdirSync(dump)
  chownSync(dump, owner.uid, owner.gid)
  let running: RunningProcess | undefined
  const log = (): string => running?.output() ?? ''
  const begin = async (given: readonly string[]): Promise<void> => {
    running = start(['smtp-sink', '-4', '-u', MAIL_USER, '-d', `${dump}/%H%M.`, ...given, `127.0.0.1:${port}`, '128'])
    // One that refuses to greet cannot be waited for by its greeting.
    const started = running
    if (given.some((option) => /CONNECT/i.test(option))) await untilListens(started, port)
    else await untilGreets('smtp-sink', started, { port })
  }
  await begin(options)
  return {
    port,
    target: `127.0.0.1:${port}`,
    dumps: () => readdirSync(dump).map((name) => readFileSync(join(dump, name), 'latin1')),
    log,
    stop: async () => running?.stop(),
    restart: async (given) => {
      await running?.stop()
      await begin(given)
    },
  }
}

async function untilListens(running: RunningProcess, port: number): Promise<void> {
  await until('smtp-sink listens', async () => running.hasEnded() || (await connects(port)), { detail: () => running.output() })
  if (running.hasEnded()) throw new Error(`smtp-sink ended:\n${running.output()}`)
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
