/**
 * `postern import dkimproxy|opendkim FILE...`: a postern.yaml on standard output,
 * warnings on standard error. Nothing is written elsewhere. Exit codes: 0; 66
 * where a file cannot be read, 65 where one is wrong.
 */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { importDkimproxy, type ImportFile } from '../dkimproxy/import-dkimproxy.ts'
import { importOpenDkim } from '../dkimproxy/import-opendkim.ts'
import { escapeControls } from '../observe/readable.ts'
import { EXIT } from './exit-codes.ts'
import type { ImportRequest } from './import-command.ts'

export interface ImportIo {
  readonly cwd: string
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

export function runImport({ from, files }: ImportRequest, { cwd, out, err }: ImportIo): number {
  const read: ImportFile[] = []
  for (const path of files) {
    try {
      read.push({ path, text: readFileSync(resolve(cwd, path), 'latin1') })
    } catch (error) {
      err(`postern: ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}\n`)
      return EXIT.noInput
    }
  }
  const context = { hostname: hostname(), readText: (path: string) => readText(resolve(cwd, path)) }
  const imported = from === 'dkimproxy' ? importDkimproxy(read, context) : importOpenDkim(read, context)
  if (imported.status === 'wrong') {
    for (const error of imported.errors) err(`postern: ${escapeControls(error)}\n`)
    return EXIT.data
  }
  for (const warning of imported.warnings) err(`warning: ${escapeControls(warning)}\n`)
  out(imported.yaml)
  return EXIT.ok
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    // Whoever asks says so, with the place that names the file.
    return undefined
  }
}
