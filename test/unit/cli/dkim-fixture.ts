/** A folder with a configuration and keys, and `postern dkim` run in it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DkimRequest } from '../../../src/cli/dkim-command.ts'
import type { DkimIo } from '../../../src/cli/dkim-io.ts'
import { runDkim } from '../../../src/cli/dkim.ts'
import { ExitError } from '../../../src/cli/exit-codes.ts'
import { temporaryDirectory } from '../../support/process.ts'

export interface Ran {
  /** of the process: an ExitError's too */
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface DkimStage {
  readonly directory: string
  readonly config: string
  readonly run: (request: DkimRequest, io?: Partial<DkimIo>) => Promise<Ran>
  readonly put: (name: string, text: string, mode?: number) => string
  readonly text: (name: string) => string
}

export const NOW = Date.UTC(2026, 10, 21, 12)

const REST = 'state: ./state\nlisteners: [{ name: out, role: outbound, listen: "127.0.0.1:2525", next: b }]\nhops: { b: { smtp: "192.0.2.1:25" } }\n'

/** @param signing the text of the configuration's `signing` */
export function dkimStage(signing = ''): DkimStage {
  const directory = temporaryDirectory('dkim')
  const config = join(directory, 'postern.yaml')
  writeFileSync(config, signing + REST)
  return {
    directory, config,
    text: (name) => readFileSync(join(directory, name), 'utf8'),
    put: (name, text, mode = 0o600) => {
      const path = join(directory, name)
      mkdirSync(join(path, '..'), { recursive: true })
      writeFileSync(path, text, { mode })
      return path
    },
    run: async (request, more = {}) => {
      let out = ''
      let err = ''
      const io: DkimIo = {
        environment: {}, cwd: directory, out: (text) => (out += text), err: (text) => (err += text), now: () => NOW,
        write: (bytes) => {
          out += bytes.toString('latin1')
          return Promise.resolve()
        },
        ...more,
      }
      try {
        const code = await runDkim({ ...('config' in request || request.action === 'keygen' ? {} : { config }), ...request }, io)
        return { code, out, err }
      } catch (error) {
        if (!(error instanceof ExitError)) throw error
        return { code: error.exitCode, out, err: `${err}${error.message}\n` }
      }
    },
  }
}
