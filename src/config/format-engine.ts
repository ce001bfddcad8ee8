/** The format of an entry of `spam.engines`: another spam engine or a virus scanner. Pure; nothing throws. */
import { DEFAULT_BREAKER, DEFAULT_COUNTS, ENGINE_DEFAULTS } from '../spam/engines/settings.ts'
import type { EngineAddress, EngineKind, EngineSettings, EngineTls, SpamName } from '../spam/engines/settings.ts'
import { duration, flag, integer, listOf, oneOf, read, refuse, size, textFormat } from './format.ts'
import type { Format } from './format.ts'
import { Keys } from './format-mapping.ts'
import { filePath, hopAddress, reference } from './format-names.ts'
import { points } from './format-policy.ts'
import { negativePoints } from './format-spam.ts'
import { isMapping, showValue } from './source.ts'
import type { Raw } from './source.ts'

const KEYS = ['kind', 'name', 'address', 'timeout', 'max_size', 'weight', 'by', 'most', 'least', 'down', 'scans', 'tls', 'tls_ca', 'tls_name', 'tls_verify', 'password_file', 'user', 'folder', 'spam_names', 'too_big']
/** Keys of some kinds only. */
const OF_KIND: Readonly<Record<EngineKind, readonly string[]>> = {
  rspamd: ['address', 'tls', 'tls_ca', 'tls_name', 'tls_verify', 'password_file', 'weight', 'by', 'most', 'least'],
  spamassassin: ['address', 'tls', 'tls_ca', 'tls_name', 'tls_verify', 'user', 'weight', 'by', 'most', 'least'],
  clamav: ['address', 'spam_names', 'too_big', 'weight', 'most', 'least'],
  spamscanner: ['folder', 'weight', 'by', 'most', 'least'],
}
const BY_KIND = [...new Set(Object.values(OF_KIND).flat())]

const spamName: Format<SpamName> = textFormat({ type: 'name', allowed: 'the beginning of a name and points, such as Sanesecurity.Junk 3' }, (text) => {
  const [, prefix = '', score = ''] = /^([\x21-\x7e]{1,100})\s+([0-9]{1,4}(?:\.[0-9]{1,2})?)$/.exec(text.trim()) ?? []
  return prefix === '' ? refuse(`found ${showValue(text)}`) : read({ prefix, score: Number(score) })
})

const userName: Format<string> = textFormat({ type: 'name', allowed: 'the name of a user of spamd, or recipient' }, (text) => (/^[\x21-\x7e]{1,100}$/.test(text) ? read(text) : refuse(`found ${showValue(text)}`)))


export const engine: Format<EngineSettings> = {
  type: 'engine',
  allowed: '{ kind: rspamd | spamassassin | clamav | spamscanner, address: ADDRESS, … }',
  parts: {
    kind: '`rspamd`: a worker of Rspamd (`/checkv2`); `spamassassin`: spamd; `clamav`: clamd; `spamscanner`: the npm package of that name, which you install beside Postern (mind its licence).',
    name: 'Its name in the log and in `postern why`; its kind where it is left out.',
    address: 'Where it listens: `127.0.0.1:11333` or `unix:/path`. Left out: 127.0.0.1:11333, 127.0.0.1:783, `unix:/run/clamav/clamd.ctl`.',
    timeout: 'The wait for it in all; 10s (rspamd), 20s (spamassassin), 30s.',
    max_size: 'Messages above this are not shown to it; 20 MB (rspamd), 500 kB (spamassassin), 25 MiB (clamav), 1 MB (spamscanner).',
    weight: 'Engines with points: what its score is multiplied by, or what a verdict is worth, by `by`; 1 where it is left out.',
    by: '`score`: its points times the weight; `threshold`: its own threshold is worth the weight, other scores in proportion; `verdict`: the weight where it says spam. `score` where it is left out.',
    most: `The most points it may give; ${DEFAULT_COUNTS.most} where it is left out.`,
    least: `The most it may take away, as a negative number; ${DEFAULT_COUNTS.least} where it is left out.`,
    down: '`flow`: where it does not answer, mail flows without it; `tempfail`: mail gets 451 until it answers, whatever the action of `virus` or `engine`, unless that is `off` or `note`. `flow` where it is left out.',
    scans: 'Messages that it is shown at a time, of each worker.',
    tls: 'Speak TLS with it; `false` where it is left out.',
    tls_ca: 'PEM file of the authorities that are accepted; those of the system where it is left out.',
    tls_name: 'The name in its certificate; that of the address where it is left out.',
    tls_verify: 'Check its certificate; `true` where it is left out.',
    password_file: 'rspamd: a file whose first line is the password of its controller.',
    user: 'spamassassin: whose preferences hold: a name, or `recipient` for the recipient of a message that has only one.',
    spam_names: 'clamav: beginnings of names that are no viruses but so many points, each as `Sanesecurity.Junk 3`: third parties\' signatures. clamd looks no further than what it finds first, so that such a message was not searched for viruses to the end.',
    too_big: 'clamav: a message above `max_size`, or above clamd\'s own `StreamMaxLength`: `flow`: it flows unsearched; `reject`: what `policy.virus` says of viruses holds for it (550 5.3.4 with `reject`). `flow` where it is left out.',
    folder: 'spamscanner: a folder whose `node_modules` has it.',
  },
  read(raw) {
    if (!isMapping(raw)) return refuse(`found ${showValue(raw)}`, this.allowed)
    const keys = new Keys(raw, KEYS)
    const kind = keys.required('kind', oneOf('rspamd', 'spamassassin', 'clamav', 'spamscanner'))
    if (kind === undefined) return { status: 'refused', problems: keys.problems }
    for (const name of BY_KIND) {
      if (raw.has(name) && !OF_KIND[kind].includes(name)) keys.problems.push({ at: [name], problem: `${kind} has no such key`, allowed: OF_KIND[kind].join(', ') })
    }
    const made = readEngine(kind, raw, keys)
    return keys.problems.length > 0 ? { status: 'refused', problems: keys.problems } : read(made)
  },
}

function readEngine(kind: EngineKind, raw: ReadonlyMap<string, Raw>, keys: Keys): EngineSettings {
  const defaults = ENGINE_DEFAULTS[kind]
  const common = {
    name: keys.optional('name', reference) ?? kind,
    timeoutMs: keys.optional('timeout', duration({ min: '100ms', max: '10m' })) ?? defaults.timeoutMs,
    maxBytes: keys.optional('max_size', size({ min: '1kB', max: '10GB' })) ?? defaults.maxBytes,
    scans: keys.optional('scans', integer({ min: 1, max: 1000, unit: 'scans' })) ?? defaults.scans,
    waiting: defaults.waiting,
    breaker: DEFAULT_BREAKER,
    counts: {
      by: keys.optional('by', oneOf('score', 'threshold', 'verdict')) ?? DEFAULT_COUNTS.by, weight: keys.optional('weight', points) ?? DEFAULT_COUNTS.weight,
      most: keys.optional('most', points) ?? DEFAULT_COUNTS.most, least: keys.optional('least', negativePoints) ?? DEFAULT_COUNTS.least,
    },
    down: keys.optional('down', oneOf('flow', 'tempfail')) ?? 'flow',
  }
  const address = readAddress(keys, kind)
  switch (kind) {
    case 'rspamd': return { kind, ...common, address, tls: readTls(raw, keys), passwordFile: keys.optional('password_file', filePath) }
    case 'spamassassin': {
      const user = keys.optional('user', userName)
      return { kind, ...common, address, tls: readTls(raw, keys), user: user === undefined || user === 'recipient' ? user : { name: user } }
    }
    case 'clamav': return { kind, ...common, address, spamNames: keys.optional('spam_names', listOf(spamName, { min: 0, max: 1000, type: 'list of names' })) ?? [], tooBig: keys.optional('too_big', oneOf('flow', 'reject')) ?? 'flow' }
    case 'spamscanner': return { kind, ...common, folder: keys.optional('folder', filePath), options: {} }
  }
}

function readAddress(keys: Keys, kind: EngineKind): EngineAddress {
  const given = keys.optional('address', hopAddress)
  // Only those of a kind that has one are read.
  if (given === undefined) return kind === 'spamscanner' ? { path: '' } : ENGINE_DEFAULTS[kind].address
  return given.kind === 'unix' ? { path: given.path } : { host: given.host, port: given.port }
}

function readTls(raw: ReadonlyMap<string, Raw>, keys: Keys): EngineTls | undefined {
  const wanted = keys.optional('tls', flag) ?? false
  const ca = keys.optional('tls_ca', filePath)
  const servername = keys.optional('tls_name', hostName)
  const verify = keys.optional('tls_verify', flag) ?? true
  for (const name of ['tls_ca', 'tls_name', 'tls_verify']) if (!wanted && raw.has(name)) keys.problems.push({ at: [name], problem: 'does nothing without tls', allowed: 'tls: true' })
  return wanted ? { ca, servername, verify } : undefined
}

const hostName: Format<string> = textFormat({ type: 'name', allowed: 'the name of a host' }, (text) => (/^[A-Za-z0-9.-]{1,253}$/.test(text) ? read(text.toLowerCase()) : refuse(`found ${showValue(text)}`)))

/** The same with its paths taken from the directory of the configuration. */
export function placedEngine(settings: EngineSettings, resolve: (path: string) => string): EngineSettings {
  const at = (address: EngineAddress): EngineAddress => ('path' in address ? { path: resolve(address.path) } : address)
  const trusted = (tls: EngineTls | undefined): EngineTls | undefined => (tls?.ca === undefined ? tls : { ...tls, ca: resolve(tls.ca) })
  switch (settings.kind) {
    case 'rspamd': return { ...settings, address: at(settings.address), tls: trusted(settings.tls), passwordFile: settings.passwordFile === undefined ? undefined : resolve(settings.passwordFile) }
    case 'spamassassin': return { ...settings, address: at(settings.address), tls: trusted(settings.tls) }
    case 'clamav': return { ...settings, address: at(settings.address) }
    case 'spamscanner': return { ...settings, folder: settings.folder === undefined ? undefined : resolve(settings.folder) }
  }
}
