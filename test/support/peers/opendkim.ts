/**
 * An OpenDKIM of the test's own: a milter on loopback that signs the mail of
 * one domain, or verifies. An Error with its output where it does not listen.
 */
import { writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { freePort } from '../ports.ts'
import { start, temporaryDirectory, until, type RunningProcess } from '../process.ts'
import type { RsaKey } from './dkimpy.ts'

export interface OpenDkim {
  /** as Postfix names it under smtpd_milters */
  readonly milter: string
  log(): string
  stop(): Promise<void>
}

export interface OpenDkimSigning {
  readonly domain: string
  readonly selector: string
  readonly key: RsaKey
  readonly canonicalization?: string
}

export function startOpenDkim({ domain, selector, key, canonicalization = 'relaxed/simple' }: OpenDkimSigning): Promise<OpenDkim> {
  return startFilter(['Mode s', `Domain ${domain}`, `Selector ${selector}`, `KeyFile ${key.file}`, `Canonicalization ${canonicalization}`, 'InternalHosts 127.0.0.1'])
}

/** It verifies, with these records for all of its DNS, and writes an Authentication-Results field of `authservId`. */
export function startOpenDkimVerifier({ authservId, records }: { readonly authservId: string; readonly records: Readonly<Record<string, string>> }): Promise<OpenDkim> {
  const file = join(temporaryDirectory('opendkim-keys'), 'keys')
  writeFileSync(file, Object.entries(records).map(([name, text]) => `${name} ${text.replaceAll(' ', '')}\n`).join(''))
  // A value ends at a blank in such a file; a record needs none.
  // By itself it looks at three signatures. Nobody is one of its own: whose mail it would sign and not verify.
  return startFilter(['Mode v', 'MaximumSignaturesToVerify 10', `TestDNSData file:${file}`, `AuthservID ${authservId}`, 'AlwaysAddARHeader yes', 'InternalHosts 192.0.2.1'])
}

async function startFilter(settings: readonly string[]): Promise<OpenDkim> {
  const directory = temporaryDirectory('opendkim')
  const port = await freePort()
  const file = join(directory, 'opendkim.conf')
  writeFileSync(file, [
    `Socket inet:${port}@127.0.0.1`, ...settings, 'Syslog no', 'RequireSafeKeys no', 'Background no', 'AutoRestart no', `PidFile ${directory}/opendkim.pid`, '',
  ].join('\n'))
  const running: RunningProcess = start(['/usr/sbin/opendkim', '-f', '-x', file])
  await until('opendkim listens', async () => running.hasEnded() || (await connects(port)), { detail: () => running.output() })
  if (running.hasEnded()) throw new Error(`opendkim ended:\n${running.output()}`)
  const stop = async (): Promise<void> => {
    // It holds nothing that could be lost, and takes seconds to leave by itself.
    running.signal('SIGKILL')
    await running.stop()
  }
  return { milter: `inet:127.0.0.1:${port}`, log: () => running.output(), stop }
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
