/**
 * `postern dkim record`: the record of a key file, of a domain's keys, or of
 * all keys of the configuration. Exit codes: 0; 64 wrong arguments; 65 no key,
 * or one that cannot be used; 66 no such file; 78 the configuration is wrong,
 * or has no key for the domain.
 */
import { statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { escapeControls } from '../observe/readable.ts'
import { keyNameOf } from '../signing/key-directory.ts'
import { readKeyFile, thisReader } from '../signing/key-file.ts'
import { formatRecord, recordText } from '../signing/key-record.ts'
import { readKeySet } from '../signing/key-set.ts'
import { describeSigningProblem } from '../signing/problem.ts'
import type { KeyName, SigningKey } from '../signing/signing-key.ts'
import { configured } from './configured.ts'
import type { RecordRequest } from './dkim-command.ts'
import { domainOf, selectorOf, type DkimIo } from './dkim-io.ts'
import { EXIT, ExitError } from './exit-codes.ts'

export function runRecord(request: RecordRequest, io: DkimIo): number {
  const path = request.of === undefined ? undefined : resolve(io.cwd, request.of)
  // What looks like a path is one, so that a file that is not there is not taken for a domain.
  if (path !== undefined && request.of !== undefined && (request.of.includes('/') || isFile(path))) return recordOfFile(path, request, io)
  return recordsOfConfiguration(request, io)
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

function recordOfFile(path: string, request: RecordRequest, io: DkimIo): number {
  if (!isFile(path)) throw new ExitError(EXIT.noInput, `there is no file ${escapeControls(path)}`)
  const reading = readKeyFile(path, thisReader())
  if (reading.status === 'refused') throw new ExitError(EXIT.data, `${escapeControls(path)} ${reading.problem}; allowed: ${reading.allowed}`)
  const text = recordText(reading.key)
  io.out(request.format === 'raw' ? `${text}\n` : formatRecord(nameOf(path, request), text, request.format))
  return EXIT.ok
}

function nameOf(path: string, { domain, selector }: RecordRequest): KeyName {
  // Without a selector in it a name could be anything.
  const named = path.endsWith('.pem') ? keyNameOf(basename(path), undefined) : undefined
  const read = named === 'no-selector' ? undefined : named
  const name = { domain: domain === undefined ? read?.domain : domainOf(domain, '--domain'), selector: selector === undefined ? read?.selector : selectorOf(selector) }
  if (name.domain !== undefined && name.selector !== undefined) return { domain: name.domain, selector: name.selector }
  throw new ExitError(EXIT.usage, `the name of ${escapeControls(path)} does not say whose key it is: give --domain and --selector, or --format raw for the bare text`)
}

function recordsOfConfiguration(request: RecordRequest, io: DkimIo): number {
  const domain = request.of === undefined ? undefined : domainOf(request.of, 'domain')
  const selector = request.selector === undefined ? undefined : selectorOf(request.selector)
  const found = configured(request.config, io)
  if (found.status === 'refused') return found.exitCode
  const reading = readKeySet(found.settings.signing, thisReader())
  if (reading.status === 'refused') {
    for (const problem of reading.problems) io.err(`postern: ${describeSigningProblem(problem)}\n`)
    return EXIT.data
  }
  const keys = reading.set.keys.filter((key) => (domain === undefined || key.domain === domain) && (selector === undefined || key.selector === selector))
  if (keys.length === 0) throw new ExitError(EXIT.configuration, `${found.source} has no key${domain === undefined ? '' : ` for ${domain}`}${selector === undefined ? '' : ` named ${selector}`}: "postern dkim keygen" makes one`)
  io.out(keys.map((key) => describe(key, request)).join(request.format === 'raw' ? '' : '\n'))
  return EXIT.ok
}

function describe(key: SigningKey, { format }: RecordRequest): string {
  return formatRecord(key, recordText(key), format)
}
