/**
 * The rules of the architecture that a compiler does not hold: which folder may
 * know which, that each file says what it is for, sizes and names.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { test } from 'node:test'

const root = resolve(import.meta.dirname, '../..')
const source = join(root, 'src')

interface Import {
  /** path under src/, or the package or `node:` module */
  readonly target: string
  readonly typeOnly: boolean
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).map((name) => join(folder, name)).sort()
}

const files = filesUnder(source)

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const found: Import[] = []
  for (const [, keyword = '', clause = '', from = ''] of text.matchAll(/^(import|export)\s([^'"]*?)\bfrom\s+['"]([^'"]+)['"]/gms)) {
    const names = /\{([^}]*)\}/.exec(clause)?.[1]?.split(',').map((part) => part.trim()).filter((part) => part !== '')
    const typeOnly = clause.trimStart().startsWith('type ') || (names !== undefined && !/^\s*\w+\s*,/.test(clause) && names.every((part) => part.startsWith('type ')))
    assert.ok(keyword !== '')
    found.push({ target: targetOf(file, from), typeOnly })
  }
  for (const [, from = ''] of text.matchAll(/^import\s+['"]([^'"]+)['"]/gm)) found.push({ target: targetOf(file, from), typeOnly: false })
  for (const [, from = ''] of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)) found.push({ target: targetOf(file, from), typeOnly: false })
  return found
}

function targetOf(file: string, from: string): string {
  return from.startsWith('.') ? relative(source, resolve(dirname(file), from)) : from
}

const folderOf = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : path)
const where = (file: string) => relative(root, file)

/** What each folder may import from src/. `type` is for types only; a file beats its folder. */
const ALLOWED: Readonly<Record<string, Readonly<Record<string, 'any' | 'type'>>>> = {
  'smtp': { 'smtp': 'any', 'observe/log.ts': 'type' },
  'message': { 'message': 'any', 'smtp': 'type' },
  // The numbers of sysexits(3), and a shape of clock, are words that all may use.
  'observe': { 'observe': 'any', 'smtp': 'any', 'config/settings.ts': 'type', 'cli/exit-codes.ts': 'any', 'supervisor/clock.ts': 'type' },
  'delivery': { 'delivery': 'any', 'smtp': 'any', 'message': 'any', 'observe': 'any', 'config/settings.ts': 'type' },
  // A map by use is a structure, and keeps nothing for anybody.
  'dns': { 'dns': 'any', 'observe/log.ts': 'type', 'state/by-use.ts': 'any' },
  'auth': { 'auth': 'any', 'dns': 'any', 'reputation': 'any', 'message': 'any' },
  // The allow list is a file of its own, read and reported as the configuration is.
  'reputation': {
    'reputation': 'any', 'state/by-use.ts': 'any', 'auth/stranger-text.ts': 'any', 'dns': 'any', 'smtp': 'any', 'observe/log.ts': 'type', 'policy/truth.ts': 'any',
    'config/problem.ts': 'any', 'config/source.ts': 'any', 'config/nearest.ts': 'any', 'config/networks.ts': 'any',
  },
  // A verdict is a function of facts: no I/O, and nobody who does any.
  'policy': { 'policy': 'any', 'smtp': 'type' },
  // What is kept has the shapes of those who hand it in; nobody else's code runs here.
  'state': {
    'state': 'any', 'observe/log.ts': 'type', 'message': 'any', 'smtp': 'type',
    'delivery/next-hop.ts': 'type', 'delivery/file-system.ts': 'type',
    'reputation/greylist.ts': 'type', 'reputation/allow-list.ts': 'type', 'reputation/rates-counters.ts': 'type',
    'spam/bayes/store.ts': 'type',
    'reputation/correspondents.ts': 'type', 'reputation/domain-history.ts': 'type',
  },
  // The judgement of a session gathers facts and asks for the verdict; it stores nothing and sends nothing.
  'inbound': {
    'inbound': 'any', 'auth': 'any', 'dns': 'any', 'reputation': 'any', 'policy': 'any', 'message': 'any', 'smtp': 'type', 'observe/log.ts': 'type', 'config/problem.ts': 'any',
  },
  // Passes everything but messages; what is done to those it is handed.
  'transparent': { 'transparent': 'any', 'smtp': 'any', 'message': 'any', 'auth/dkim/message-signer.ts': 'any', 'signing/signing.ts': 'type', 'observe/log.ts': 'type' },
  // A program of its own, which takes from Postern what it needs and knows nothing of Postern's configuration.
  'dkimproxy': {
    'dkimproxy': 'any', 'transparent': 'any', 'smtp': 'any', 'message': 'any', 'auth': 'any', 'dns': 'any', 'signing': 'any', 'observe': 'any',
    'cli/exit-codes.ts': 'any', 'config/networks.ts': 'any',
  },
  // What it stands on in a worker is put together here.
  'inbound/worker-services.ts': { 'inbound': 'any', 'auth': 'any', 'dns': 'any', 'reputation': 'any', 'message': 'type', 'observe': 'type', 'state': 'any', 'delivery/file-system.ts': 'any' },
  // Reads parts of messages for whoever scores them; knows nothing of scores.
  'mime': { 'mime': 'any', 'message': 'any' },
  // A score is a function of the message and of facts; what it learns and whom it asks are behind interfaces.
  'spam': { 'spam': 'any', 'mime': 'any', 'message': 'any', 'auth/stranger-text.ts': 'any', 'reputation/organizational-domain.ts': 'any', 'observe/log.ts': 'type', 'config/problem.ts': 'any', 'config/source.ts': 'any', 'config/nearest.ts': 'any' },
  // Who signs is decided out of memory; files and the DNS are asked beside the way of a message.
  'signing': { 'signing': 'any', 'auth': 'type', 'auth/stranger-text.ts': 'any', 'dns': 'any', 'message': 'any', 'smtp': 'type', 'observe/log.ts': 'type', 'config/problem.ts': 'any' },
  // Who may send, and as whom. Users' names are those of deliveries.
  'submission': {
    'submission': 'any', 'smtp': 'any', 'observe/log.ts': 'type', 'config/networks.ts': 'any', 'reputation/reverse-name.ts': 'any', 'reputation/rates-counters.ts': 'type',
    'delivery/address-file.ts': 'any', 'delivery/users.ts': 'any', 'delivery/user-lines.ts': 'any', 'delivery/watched-file.ts': 'any', 'delivery/file-system.ts': 'type',
  },
  // The words of a configuration are parsed by those who know them.
  'config': {
    'config': 'any', 'smtp': 'any', 'delivery': 'any', 'policy': 'any', 'dns': 'type', 'reputation': 'type',
    'reputation/dnsbl-codes.ts': 'any', 'reputation/allow-list-file.ts': 'any', 'auth': 'type', 'signing': 'any', 'submission': 'any', 'reputation/uri-settings.ts': 'any', 'spam/engines/settings.ts': 'any', 'spam': 'type', 'scoring': 'type', 'state/redis-settings.ts': 'type',
  },
  'outbound': { 'spam/rules/addresses.ts': 'any', 'outbound': 'any', 'auth': 'any', 'signing': 'any', 'submission': 'any', 'reputation': 'any', 'message': 'any', 'smtp': 'any', 'delivery': 'any', 'transparent': 'any', 'dns': 'type', 'observe': 'type', 'config/settings.ts': 'type' },
  // Puts the score of a message together out of everything that has a say in it.
  'scoring': { 'scoring': 'any', 'inbound': 'any', 'spam': 'any', 'mime': 'any', 'reputation': 'any', 'policy': 'any', 'state': 'any', 'message': 'any', 'smtp': 'type', 'dns': 'type', 'observe/log.ts': 'type', 'delivery/password-file.ts': 'any', 'config/problem.ts': 'any' },
  'front-door.ts': { 'reputation': 'type', 'inbound': 'type', 'outbound': 'type', 'submission': 'type', 'delivery': 'type', 'message': 'type', 'smtp': 'type', 'observe': 'type', 'state': 'type' },
  'transaction.ts': { 'front-door.ts': 'type', 'inbound': 'any', 'outbound': 'any', 'delivery': 'any', 'message': 'any', 'smtp': 'any', 'observe': 'any', 'state': 'type' },
  'pipeline.ts': { 'front-door.ts': 'type', 'transaction.ts': 'any', 'inbound': 'any', 'outbound': 'type', 'submission': 'type', 'delivery': 'any', 'message': 'any', 'smtp': 'any', 'observe': 'any', 'state': 'type' },
}

test('the imports of a file that the rules below rest on are read right', () => {
  const imports = importsOf(join(source, 'smtp/connection.ts'))
  assert.deepEqual(imports.find(({ target }) => target === 'observe/log.ts'), { target: 'observe/log.ts', typeOnly: true })
  assert.deepEqual(imports.find(({ target }) => target === 'smtp/reply.ts'), { target: 'smtp/reply.ts', typeOnly: false })
  assert.ok(imports.some(({ target }) => target === 'node:tls'))
})

test('the arrows point one way', () => {
  const wrong: string[] = []
  for (const file of files) {
    const path = relative(source, file)
    const allowed = ALLOWED[path] ?? ALLOWED[folderOf(path)]
    if (allowed === undefined) continue
    for (const { target, typeOnly } of importsOf(file)) {
      if (!target.endsWith('.ts')) continue
      const permission = allowed[target] ?? allowed[folderOf(target)]
      if (permission === undefined || (permission === 'type' && !typeOnly)) wrong.push(`${path} → ${target}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('nothing goes round in a circle', () => {
  const graph = new Map(files.map((file) => [relative(source, file), importsOf(file).filter(({ target, typeOnly }) => target.endsWith('.ts') && !typeOnly).map(({ target }) => target)]))
  const done = new Set<string>()
  const visit = (path: string, way: readonly string[]): void => {
    assert.ok(!way.includes(path), `a circle: ${[...way, path].join(' → ')}`)
    if (done.has(path)) return
    for (const next of graph.get(path) ?? []) visit(next, [...way, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
})

test('the protocol knows nothing but node and itself: no package, no files but certificates', () => {
  for (const file of files.filter((one) => relative(source, one).startsWith('smtp/'))) {
    for (const { target } of importsOf(file)) assert.ok(target.endsWith('.ts') || target.startsWith('node:'), `${where(file)} → ${target}`)
  }
})

/** Those that make no I/O say so by what they import. */
const PURE = ['address', 'auth-dialogue', 'auth-parameter', 'authentication', 'base64', 'capabilities', 'command', 'control-bytes', 'conversation', 'data-decoder', 'data-encoder', 'envelope', 'extensions', 'message-intake', 'parameters', 'proxy-protocol', 'reply', 'reply-catalogue', 'reply-catalogue-hop', 'reply-parser', 'session', 'session-handler', 'session-input', 'session-output', 'transport', 'xclient', 'xforward', 'xtext', 'admission', 'client-commands']

test('the parsers and the session make no I/O', () => {
  for (const name of PURE) {
    const file = join(source, 'smtp', `${name}.ts`)
    for (const { target, typeOnly } of importsOf(file)) {
      // node:net is there for isIP, node:url for names
      const harmless = ['node:net', 'node:url', 'node:buffer'].includes(target) && !/\b(?:createServer|createConnection|connect|Socket)\b/.test(readFileSync(file, 'utf8').match(/import.*'node:net'/)?.[0] ?? '')
      assert.ok(typeOnly || harmless || PURE.includes(basename(target, '.ts')), `${where(file)} → ${target}`)
    }
    assert.doesNotMatch(readFileSync(file, 'utf8'), /\b(?:setTimeout|setInterval|Date\.now|performance\.now|process\.)/, `${where(file)} has a clock of its own`)
  }
})

test('only the composition root and who starts it see the whole configuration', () => {
  const may = /^(?:gateway\.ts|main\.ts|supervisor\.ts|supervisor\/|cli\/|config\/)/
  for (const file of files) {
    const path = relative(source, file)
    if (may.test(path)) continue
    const text = readFileSync(file, 'utf8')
    for (const [clause] of text.matchAll(/import[^'"]*from\s+['"][^'"]*config\/settings\.ts['"]/g)) {
      assert.doesNotMatch(clause, /[{\s,]Settings[\s,}]/, `${path} sees the whole configuration`)
    }
  }
})

test('a file says what it is for before anything else', () => {
  for (const file of files) assert.match(readFileSync(file, 'utf8'), /^(?:#![^\n]*\n)?\/\*\*?\s*\n?[\s*]*\S[\s\S]{20,}?\*\//, where(file))
})

test('no file is longer than 400 lines', () => {
  for (const file of [...files, ...filesUnder(join(root, 'test'))]) {
    const lines = readFileSync(file, 'utf8').split('\n').length - 1
    assert.ok(lines <= 400, `${where(file)} has ${lines} lines`)
  }
})

test('names say what a thing is', () => {
  for (const file of [...files, ...filesUnder(join(root, 'test'))]) {
    assert.doesNotMatch(basename(file), /^(?:utils?|helpers?|common|misc|.*manager)\b/i, where(file))
    assert.match(basename(file), /^[a-z0-9]+(?:[-.][a-z0-9]+)*\.ts$/, where(file))
    assert.doesNotMatch(readFileSync(file, 'utf8'), /\b(?:class|function|interface|const) \w*(?:Utils?|Helpers?|Manager)\b/, where(file))
  }
})

test('nothing is put off, and nothing is left out of a test', () => {
  const words = [['TO', 'DO'], ['FIX', 'ME'], ['X', 'XX'], ['@ts-', 'ignore'], ['@ts-', 'expect-error'], ['.on', 'ly('], ['.sk', 'ip(']].map((parts) => parts.join(''))
  for (const file of [...files, ...filesUnder(join(root, 'test'))]) {
    const text = readFileSync(file, 'utf8')
    for (const word of words) assert.ok(!new RegExp(`(?<![A-Za-z])${word.replace(/[.(]/g, '\\$&')}`).test(text), `${where(file)}: ${word}`)
  }
})

test('enumerations, namespaces and `any` are not used', () => {
  for (const file of files) assert.doesNotMatch(readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''), /^\s*(?:export )?(?:const )?enum \w|^\s*(?:export )?namespace \w|[:<,|]\s*any\b(?!\w)/m, where(file))
})
