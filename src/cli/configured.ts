/** The configuration as commands that look at it need it: loaded, or said what is wrong with it. */
import { loadConfiguration, type LoadOptions } from '../config/load.ts'
import type { Purpose } from '../config/model.ts'
import { describeError } from '../config/problem.ts'
import type { Settings } from '../config/settings.ts'
import { EXIT } from './exit-codes.ts'

export interface ConfiguredIo extends Omit<LoadOptions, 'file'> {
  readonly err: (text: string) => void
}

export type Configured =
  | { readonly status: 'ok'; readonly settings: Settings; readonly source: string }
  /** said already */
  | { readonly status: 'refused'; readonly exitCode: number }

/** @param file of --config; @param purpose `command`: none of the files that it names are looked at */
export function configured(file: string | undefined, io: ConfiguredIo, purpose: Purpose = 'command'): Configured {
  const loaded = loadConfiguration({ ...io, file, purpose })
  switch (loaded.status) {
    case 'ok': return { status: 'ok', settings: loaded.settings, source: loaded.source }
    case 'unreadable':
      io.err(`postern: ${loaded.source}: ${loaded.cause}\n`)
      return { status: 'refused', exitCode: EXIT.noInput }
    case 'invalid':
      for (const error of loaded.errors) io.err(`postern: ${describeError(error)}\n`)
      return { status: 'refused', exitCode: EXIT.configuration }
  }
}
