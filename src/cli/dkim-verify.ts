/**
 * `postern dkim verify`: what each signature of a message comes to, by the
 * gateway's own code; with the DNS of the configuration, with a server that is
 * named, or with records out of a file and no DNS at all.
 *
 * Exit codes: 0 where a signature passes; 65 where none does, or there is none;
 * 75 where the DNS could not say (and none passes); 64, 66 and 78 as always.
 */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { verifyDkim, type DkimOutcome, type DkimSignature } from '../auth/dkim.ts'
import { openResolver } from '../dns/configured.ts'
import type { ServerAddress } from '../dns/exchange.ts'
import type { Resolver } from '../dns/resolver.ts'
import { createStubResolver, type StubResolver } from '../dns/stub.ts'
import { escapeControls } from '../observe/readable.ts'
import { configured } from './configured.ts'
import type { VerifyRequest } from './dkim-command.ts'
import type { DkimIo } from './dkim-io.ts'
import { messageChunks } from './dkim-sign.ts'
import { EXIT, ExitError } from './exit-codes.ts'
import { recordFileResolver } from './record-file.ts'
import { safeJson } from './safe-json.ts'
import { readMessage } from './scan-message.ts'

const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const MAX_MESSAGE_BYTES = 1024 * 1024 * 1024
const DNS_PORT = 53
const TIMEOUT_MS = 5000

export async function runVerify(request: VerifyRequest, io: DkimIo): Promise<number> {
  if (request.dns !== undefined && request.records !== undefined) throw new ExitError(EXIT.usage, '--dns and --records: one of the two')
  const asking = resolverFor(request, io)
  if (typeof asking === 'number') return asking
  try {
    const message = (await readMessage(messageChunks(request.file, io), MAX_MESSAGE_BYTES)).body
    try {
      const outcome = await verifyDkim(message, asking.resolver, new Date((io.now ?? Date.now)()))
      io.out(request.json === true ? `${safeJson(outcome)}\n` : describe(outcome))
      return exitCodeOf(outcome)
    } finally {
      message.discard()
    }
  } finally {
    asking.close()
  }
}

interface Asking {
  readonly resolver: Resolver
  close(): void
}

function resolverFor({ dns, records, config }: VerifyRequest, io: DkimIo): Asking | number {
  const lasting = (resolver: Resolver): Asking => ({ resolver, close: () => undefined })
  if (records !== undefined) return lasting(recordFileResolver(readRecords(resolve(io.cwd, records))))
  if (io.resolver !== undefined) return lasting(io.resolver)
  if (dns !== undefined) return closing(createStubResolver({ servers: [serverOf(dns)], timeoutMs: TIMEOUT_MS, tries: 2 }, { log: QUIET }))
  const found = configured(config, io)
  return found.status === 'refused' ? found.exitCode : closing(openResolver(found.settings.dns, QUIET))
}

function closing(resolver: StubResolver): Asking {
  return { resolver, close: () => resolver.close() }
}

function readRecords(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'EISDIR') throw new ExitError(EXIT.noInput, `--records: there is no file ${escapeControls(path)}`)
    throw error
  }
}

function serverOf(text: string): ServerAddress {
  const [, bracketed, plain, port = String(DNS_PORT)] = /^(?:\[([^\]]+)\]|([^:]+))(?::([0-9]{1,5}))?$/.exec(isIP(text) === 6 ? `[${text}]` : text) ?? []
  const host = bracketed ?? plain ?? ''
  if (isIP(host) === 0 || Number(port) < 1 || Number(port) > 65_535) throw new ExitError(EXIT.usage, `--dns: ${escapeControls(text)} is no address; allowed: 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53`)
  return { host, port: Number(port) }
}

function exitCodeOf({ status }: DkimOutcome): number {
  if (status === 'pass') return EXIT.ok
  return status === 'temperror' ? EXIT.temporary : EXIT.data
}

function describe({ status, signatures, unexamined, cause }: DkimOutcome): string {
  const lines = signatures.map(describeSignature)
  if (unexamined > 0) lines.push(`${unexamined} more ${unexamined === 1 ? 'signature was' : 'signatures were'} not looked at`)
  if (signatures.length === 0) lines.push(status === 'none' ? 'no signature' : `${status}: ${escapeControls(cause)}`)
  return lines.map((line) => `${line}\n`).join('')
}

function describeSignature({ status, domain, selector, algorithm, bits, testing, bodyLength, cause }: DkimSignature): string {
  const size = bits === null ? '' : ` ${bits} bits`
  const partial = bodyLength === null ? '' : `; only ${bodyLength.signed} of ${bodyLength.total} bytes of the body are signed`
  return escapeControls(`${status}  ${selector}._domainkey.${domain}  ${algorithm}${size}${testing ? '; t=y' : ''}${partial}${cause === '' ? '' : `; ${cause}`}`)
}
