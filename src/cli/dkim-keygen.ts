/**
 * `postern dkim keygen`: a new key in a file of its own, and the record to
 * publish on standard output; what to do with them on standard error. Exit
 * codes: 0; 64 wrong arguments; 65 there is a file of that name.
 */
import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { escapeControls } from '../observe/readable.ts'
import { keyFileName } from '../signing/key-directory.ts'
import { formatRecord, recordName, recordText } from '../signing/key-record.ts'
import { MAX_RSA_BITS, MIN_RSA_BITS, publicDataOf } from '../signing/private-key.ts'
import type { KeygenRequest } from './dkim-command.ts'
import { datedSelector, domainOf, selectorOf, type DkimIo } from './dkim-io.ts'
import { newKey, writeKey } from './dkim-new-key.ts'
import { EXIT, ExitError } from './exit-codes.ts'
import { folderProblem } from './trusted-path.ts'

export async function runKeygen(request: KeygenRequest, io: DkimIo): Promise<number> {
  const domain = domainOf(request.domain, 'domain')
  const algorithm = request.type === 'rsa' ? 'rsa-sha256' : 'ed25519-sha256'
  const selector = request.selector === undefined ? datedSelector(algorithm, (io.now ?? Date.now)()) : selectorOf(request.selector)
  const path = placeOf(request.out, keyFileName({ domain, selector }), io.cwd)
  const key = await newKey(request.type, bitsOf(request))
  writeKey(path, key)
  io.out(formatRecord({ domain, selector }, recordText({ algorithm, publicData: publicDataOf(key) }), request.format))
  io.err([
    `the private key is in ${escapeControls(path)}, which the user of the gateway must be able to read and nobody else (chown; or root:GROUP and chmod 640)`,
    ...aboutFolder(dirname(path)),
    `publish the record above; "postern check --dns" says whether ${recordName({ domain, selector })} is right`,
    'then, in the configuration:',
    '  signing:',
    '    keys:',
    `      - { domain: ${domain}, selector: ${selector}, key: ${JSON.stringify(path)} }`,
  ].map((line) => `${line}\n`).join(''))
  return EXIT.ok
}

/** Who can write the folder can put other keys there, and links that lead root elsewhere. */
function aboutFolder(folder: string): readonly string[] {
  const problem = folderProblem(folder, new Set([0, process.geteuid?.() ?? 0]))
  return [
    `give the key away, not its folder ${escapeControls(folder)}: leave that to root, so that root can run "postern dkim rotate" in it`,
    ...(problem === undefined ? [] : [`now ${escapeControls(problem.what)}: chown root and chmod go-w`]),
  ]
}

function bitsOf({ bits, type }: KeygenRequest): number {
  const number = Number(bits)
  if (/^[0-9]{1,5}$/.test(bits) && number >= MIN_RSA_BITS && number <= MAX_RSA_BITS) return number
  if (type === 'ed25519') return MIN_RSA_BITS
  throw new ExitError(EXIT.usage, `--bits: ${escapeControls(bits)}; allowed: ${MIN_RSA_BITS} to ${MAX_RSA_BITS} (RFC 8301; 2048 is what every receiver and every DNS takes)`)
}

function placeOf(out: string | undefined, name: string, cwd: string): string {
  if (out === undefined) return join(cwd, name)
  const path = resolve(cwd, out)
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats?.isDirectory() === true) return join(path, name)
  if (out.endsWith('/')) throw new ExitError(EXIT.usage, `--out: there is no folder ${escapeControls(path)}`)
  return path
}
