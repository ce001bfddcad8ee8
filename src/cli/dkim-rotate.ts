/**
 * `postern dkim rotate DOMAIN`: makes the next key of each kind that the domain
 * has, prints the records, waits until every server of the zone shows them,
 * then lets the configuration name the new keys, and says when the old records
 * may go. It may be ended at any time (Ctrl-C): what has been done is on disk,
 * and running it again goes on from there.
 *
 * Keys of `signing.keys` are switched by an edit of the configuration file,
 * under the lock of all its editors, and only where the result would be taken
 * by `postern run`. Keys of `signing.directory` need no switch: the gateway
 * takes the newest file whose record it sees (signing/key-directory.ts).
 *
 * Exit codes: 0 done; 64 wrong arguments; 65 a key that cannot be used, or an
 * edit that is left to people; 66 no configuration file; 75 not published
 * everywhere within --wait; 77 root, in a folder that others can write; 78 the
 * configuration is wrong or has no such key.
 */
import { lstatSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { duration } from '../config/format.ts'
import { loadText } from '../config/load.ts'
import { thisMachine } from '../config/machine.ts'
import { EMBEDDED_SOURCE } from '../config/embedded.ts'
import { describeError } from '../config/problem.ts'
import type { SigningSettings } from '../signing/settings.ts'
import { openResolver } from '../dns/configured.ts'
import type { Resolver } from '../dns/resolver.ts'
import { escapeControls } from '../observe/readable.ts'
import { readKeyFile, thisReader } from '../signing/key-file.ts'
import { formatRecord, recordName, recordText } from '../signing/key-record.ts'
import type { PrivateKey } from '../signing/private-key.ts'
import { askEverywhere, isEverywhere, type ServerView, type ZoneView } from '../signing/zone-servers.ts'
import { configured } from './configured.ts'
import type { RotateRequest } from './dkim-command.ts'
import { domainOf, selectorOf, type DkimIo } from './dkim-io.ts'
import { newKey, writeKey } from './dkim-new-key.ts'
import { planRotation } from './dkim-rotation.ts'
import { saveRotation, type Rotation, type Succession } from './dkim-rotation-file.ts'
import { editSigningKeys } from './edit-signing-keys.ts'
import { EXIT, ExitError } from './exit-codes.ts'
import { editLocked } from './locked-edit.ts'

/** How long mail may lie in queues before it is verified (RFC 5321 §4.5.4.1: give up after 4 to 5 days at least). */
const TRANSIT_MS = 7 * 86_400_000
const USUAL_TTL_SECONDS = 86_400
const FIRST_PAUSE_MS = 10_000
const LONGEST_PAUSE_MS = 60_000
const WAIT = duration({ min: '0s', max: '30d' })
const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const RELOAD = 'systemctl reload postern, or SIGHUP to the process that was started first'

interface Work {
  readonly source: string
  readonly rotation: Rotation
  /** of the plan */
  readonly file: string
  readonly resolver: Resolver
  readonly io: DkimIo
}

export async function runRotate(request: RotateRequest, io: DkimIo): Promise<number> {
  const wait = WAIT.read(request.wait)
  if (wait.status === 'refused') throw new ExitError(EXIT.usage, `--wait: ${escapeControls(request.wait)}; allowed: ${WAIT.allowed}`)
  const domain = domainOf(request.domain, 'domain')
  const selector = request.selector === undefined ? undefined : selectorOf(request.selector)
  const found = configured(request.config, io)
  if (found.status === 'refused') return found.exitCode
  if (found.source === EMBEDDED_SOURCE) throw new ExitError(EXIT.configuration, 'there is no configuration file, and so no key to change')
  const nowMs = now(io)
  const { rotation, file, isNew } = planRotation(found.settings.signing, { domain, selector, nowMs })
  if (rotation.oldMayGoAt !== undefined) return tellDone({ ...rotation, oldMayGoAt: rotation.oldMayGoAt }, io)
  if (isNew) saveRotation(file, rotation)
  else io.err(`going on with what was begun on ${day(rotation.startedAt)} (${escapeControls(file)})\n`)
  const keys = await nextKeys(rotation)
  for (const { succession, key } of keys) io.out(formatRecord({ domain, selector: succession.next.selector }, recordText(key), request.format))
  const opened = io.resolver === undefined ? openResolver(found.settings.dns, QUIET) : undefined
  const resolver = io.resolver ?? opened
  if (resolver === undefined) throw new Error('no resolver')
  try {
    const work = { source: found.source, rotation, file, resolver, io }
    if (!(await published(keys, work, nowMs + wait.value))) return EXIT.temporary
    return await switchKeys(work)
  } finally {
    opened?.close()
  }
}

function now({ now: time = Date.now }: DkimIo): number {
  return time()
}

interface NextKey {
  readonly succession: Succession
  readonly key: PrivateKey
}

/** Those that are not there yet are made; those that are were made by a run before. */
async function nextKeys(rotation: Rotation): Promise<readonly NextKey[]> {
  const keys: NextKey[] = []
  for (const succession of rotation.keys) {
    const { algorithm, bits, old, next } = succession
    const there = lstatSync(next.file, { throwIfNoEntry: false })
    // A link may lead to a key of somebody else.
    if (there?.isFile() === false) throw new ExitError(EXIT.data, `${escapeControls(next.file)} is no regular file: remove it, and run the command again`)
    if (there === undefined) writeKey(next.file, await newKey(algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519', bits), statSync(old.file))
    const reading = readKeyFile(next.file, thisReader())
    if (reading.status === 'refused') throw new ExitError(EXIT.data, `${escapeControls(next.file)} ${reading.problem}; allowed: ${reading.allowed}`)
    keys.push({ succession, key: reading.key })
  }
  return keys
}

/* --- waiting --- */

/** False where the time is over before every server shows every key. */
async function published(keys: readonly NextKey[], { rotation: { domain }, resolver, io }: Work, deadlineMs: number): Promise<boolean> {
  const { serverAt, pause = (ms: number) => sleep(ms) } = io
  let told = ''
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    const views: { readonly name: string; readonly view: ZoneView }[] = []
    for (const { succession, key } of keys) {
      const named = { domain, selector: succession.next.selector, algorithm: key.algorithm, publicData: key.publicData }
      views.push({ name: recordName(named), view: await askEverywhere(named, { resolver, ...(serverAt !== undefined && { serverAt }) }) })
    }
    const text = views.map(({ name, view }) => describeView(name, view)).join('')
    if (text !== told) io.err(text)
    told = text
    if (views.every(({ view }) => isEverywhere(view))) return true
    const leftMs = deadlineMs - now(io)
    if (leftMs <= 0) {
      io.err('not everywhere yet: nothing is switched, the old key goes on signing; publish the record above and run the command again\n')
      return false
    }
    await pause(Math.min(pauseMs, leftMs))
  }
}

function describeView(name: string, view: ZoneView): string {
  if (view.status === 'unknown') return `${name}: ${escapeControls(view.cause)}\n`
  return view.views.map(({ server, published: what }) => `${name}: ${escapeControls(`${server}: ${describeServer(what)}`)}\n`).join('')
}

function describeServer(published: ServerView['published']): string {
  switch (published.status) {
    case 'matches': return 'has the key'
    case 'missing': return 'does not have it yet'
    case 'mismatch': return 'has another key under this name'
    case 'revoked': return 'has a record with an empty p= under this name'
    case 'unusable': return published.why
    case 'temperror': return `could not be asked: ${published.cause}`
    case 'unreachable': return `cannot be reached from here and is passed over, though it may answer others: ${published.cause}`
  }
}

/* --- switching --- */

async function switchKeys(work: Work): Promise<number> {
  const { rotation, file, source, resolver, io } = work
  if (rotation.source === 'list') await editLocked(source, (text) => edited(text, work))
  const ttls = await Promise.all(rotation.keys.map(({ old }) => ttlOf(recordName({ domain: rotation.domain, selector: old.selector }), resolver)))
  const done = { ...rotation, oldMayGoAt: now(io) + TRANSIT_MS + Math.max(...ttls) * 1000 }
  saveRotation(file, done)
  return tellDone(done, io)
}

/** The new text of the configuration; undefined where it names the new keys already. */
function edited(text: string, { source, rotation: { domain, keys }, io }: Work): string | undefined {
  const before = signingOf(text, source, io)
  const edits = before.keys.flatMap((one, index) => {
    const succession = keys.find(({ old }) => one.domain === domain && old.selector === one.selector)
    if (succession === undefined) return []
    const { next } = succession
    return [{ index, from: { domain, selector: one.selector }, to: { selector: next.selector, file: (old: string) => besides(old, next.file) } }]
  })
  if (edits.length === 0 && before.keys.some((one) => one.domain === domain && keys.some(({ next }) => next.selector === one.selector))) return undefined
  const result = edits.length === 0 ? { status: 'by-hand' as const, why: 'it does not name the keys any more that were to be changed' } : editSigningKeys(text, edits)
  if (result.status === 'by-hand') {
    const changes = keys.map(({ old, next }) => `  ${domain}: selector ${old.selector} → ${next.selector}, key ${old.file} → ${next.file}`).join('\n')
    throw new ExitError(EXIT.data, escapeLines(`${source} has to be edited by hand: ${result.why}. All servers have the new record; change\n${changes}`))
  }
  signingOf(result.text, source, io)
  return result.text
}

function escapeLines(text: string): string {
  return text.split('\n').map(escapeControls).join('\n')
}

/** As it is written there: relative where the old one is. */
function besides(old: string, next: string): string {
  return old.includes('/') ? join(dirname(old), basename(next)).replace(/^(?=[^/.])/, old.startsWith('./') ? './' : '') : basename(next)
}

/** What the text says of signing; an ExitError where `postern run` would not take it. */
function signingOf(text: string, source: string, io: DkimIo): SigningSettings {
  const loaded = loadText(text, { source, base: dirname(source), environment: io.environment, machine: io.machine ?? thisMachine })
  switch (loaded.status) {
    case 'ok': return loaded.settings.signing
    case 'invalid': throw new ExitError(EXIT.configuration, loaded.errors.map(describeError).join('\n'))
    case 'unreadable': throw new ExitError(EXIT.noInput, `${source}: ${loaded.cause}`)
  }
}

async function ttlOf(name: string, resolver: Resolver): Promise<number> {
  const found = await resolver.lookup(name, 'TXT')
  return found.status === 'records' ? Math.max(found.ttlSeconds, 3600) : USUAL_TTL_SECONDS
}

function tellDone({ domain, source, keys, oldMayGoAt }: Rotation & { readonly oldMayGoAt: number }, io: DkimIo): number {
  const names = keys.map(({ next }) => next.selector).join(' and ')
  const takes = source === 'list' ? `the configuration names ${names} for ${domain} now` : `${names} will sign for ${domain} as soon as the gateway has read the folder and seen the record`
  io.err(`${takes}; let the gateway read it: ${RELOAD}\n`)
  for (const { old } of keys) io.err(escapeControls(`mail signed with ${old.selector} is on its way until then: its record ${recordName({ domain, selector: old.selector })} may go on ${day(oldMayGoAt + 86_399_999)}, and so may ${old.file}`) + '\n')
  return EXIT.ok
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
