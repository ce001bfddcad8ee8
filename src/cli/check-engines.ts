/**
 * Whether other engines answer: each is pinged, all at once, as the gateway pings them,
 * for five seconds at most. One that is of no use now (it does not answer, answers wrongly,
 * or cannot be asked) is a warning, since it may be well when mail comes. spamscanner has no server that could be asked:
 * whether it is installed is looked up, and no process started.
 */
import { formatAddress } from '../config/format-names.ts'
import type { Settings } from '../config/settings.ts'
import { readPasswordFile } from '../delivery/password-file.ts'
import { escapeControls } from '../observe/readable.ts'
import { engineClock } from '../scoring/engine-clock.ts'
import { createEngine } from '../spam/engines/create-engines.ts'
import type { EngineAddress, EngineSettings } from '../spam/engines/settings.ts'
import { findSpamscanner, notInstalled } from '../spam/engines/spamscanner-package.ts'

export interface EnginesReport {
  readonly warnings: readonly string[]
  /** of the summary */
  readonly lines: readonly string[]
}

interface Found {
  readonly engine: EngineSettings
  readonly named: string
  /** undefined: it is well */
  readonly trouble: string | undefined
  readonly well: string
}

const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

const UNTIL_THEN: Readonly<Record<EngineSettings['down'], string>> = {
  flow: 'mail flows without it until it is',
  tempfail: 'mail that it is to judge gets 451 until it is (down: tempfail)',
}

export async function checkEngines({ listeners, spam }: Settings): Promise<EnginesReport> {
  if (listeners.every(({ role }) => role !== 'inbound')) return { warnings: [], lines: [] }
  const found = await Promise.all(spam.engines.map(lookAt))
  return {
    warnings: found.flatMap(({ engine, named, trouble }) => (trouble === undefined ? [] : [`spam.engines: ${named} is of no use now: ${trouble}; ${UNTIL_THEN[engine.down]}`])),
    lines: found.map(({ named, trouble, well }, i) => `  ${(i === 0 ? 'engines' : '').padEnd(10)} ${named}${trouble === undefined ? ` ${well}` : `: ${escapeControls(trouble)}`}`),
  }
}

async function lookAt(engine: EngineSettings): Promise<Found> {
  if (engine.kind !== 'spamscanner') return { engine, named: `${engine.name} at ${addressOf(engine.address)}`, trouble: await ping(engine), well: 'answers' }
  const { version } = findSpamscanner(engine.folder)
  return { engine, named: engine.name, trouble: version === undefined ? notInstalled(engine.folder) : undefined, well: `${version ?? ''} is installed` }
}

async function ping(settings: EngineSettings): Promise<string | undefined> {
  const engine = createEngine(settings, { clock: engineClock, log: QUIET, readPassword: readPasswordFile })
  try {
    return await engine.ping()
  } finally {
    engine.close()
  }
}

function addressOf(address: EngineAddress): string {
  return formatAddress('path' in address ? { kind: 'unix', path: address.path } : { kind: 'tcp', ...address })
}
