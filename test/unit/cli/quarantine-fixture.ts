/** `postern quarantine` called as main.ts does, on a configuration and a quarantine of the test's own. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { runQuarantine, type QuarantineIo } from '../../../src/cli/quarantine.ts'
import type { QuarantineRequest } from '../../../src/cli/quarantine-command.ts'
import { TEST_MACHINE } from '../../support/settings.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { quarantineOn, type Ground } from '../state/quarantine-fixture.ts'

export interface Called {
  readonly code: number
  readonly out: string
  readonly err: string
  /** what went out as bytes, binary */
  readonly bytes: string
}

export interface Desk extends Ground {
  readonly cwd: string
  readonly call: (request: QuarantineRequest, change?: Partial<QuarantineIo>) => Promise<Called>
}

/** @param hops YAML of the hops; one is called `backend` */
export function desk(t: TestContext, hops: string): Desk {
  const cwd = temporaryDirectory('desk')
  writeFileSync(join(cwd, 'postern.yaml'), `hostname: mx.test.example\nstate: ${cwd}/state\nlisteners: [{ name: in, role: inbound, listen: "127.0.0.1:2525", next: backend }]\nhops: ${hops}\ndomains: [b.example]\n`)
  const ground = quarantineOn(t, { state: join(cwd, 'state') })
  return { ...ground, cwd, call: (request, change = {}) => call(cwd, request, change) }
}

export async function call(cwd: string, request: QuarantineRequest, change: Partial<QuarantineIo> = {}): Promise<Called> {
  const written = { out: '', err: '', bytes: '' }
  const code = await runQuarantine(request, {
    cwd, environment: {}, machine: TEST_MACHINE, searchPath: ['postern.yaml'], terminal: false,
    out: (text) => { written.out += text },
    err: (text) => { written.err += text },
    bytes: (piece) => {
      written.bytes += piece.toString('latin1')
      return Promise.resolve()
    },
    ...change,
  })
  return { code, ...written }
}
