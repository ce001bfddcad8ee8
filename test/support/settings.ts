/**
 * Settings for tests, made as a user's are: out of YAML, through the whole
 * check. `settingsFrom` throws with every error where the text is not valid;
 * `loadFrom` returns what `loadConfiguration` would. Nothing of the
 * environment or of this machine comes in unless a test gives it.
 */
import { generateKeyPairSync } from 'node:crypto'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadText } from '../../src/config/load.ts'
import type { Loaded } from '../../src/config/load.ts'
import type { Machine } from '../../src/config/machine.ts'
import type { Purpose } from '../../src/config/model.ts'
import { describeError } from '../../src/config/problem.ts'
import type { Settings } from '../../src/config/settings.ts'
import { CERTIFICATE, PRIVATE_KEY } from './certificate.ts'

export interface TestGround {
  /** directory that relative paths are taken from */
  readonly cwd: string
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly machine?: Partial<Machine>
  readonly purpose?: Purpose
}

/** A machine that is the same everywhere. */
export const TEST_MACHINE: Machine = {
  hostname: () => 'mx.test.example',
  cores: () => 4,
  addresses: () => ['127.0.0.1', '::1', '192.0.2.10', '2001:db8::10'],
  uid: () => 0,
  gid: () => 0,
  nowMs: () => Date.UTC(2030, 0, 15),
  userDatabase: (kind) => kind === 'passwd'
    ? 'root:x:0:0:root:/root:/bin/sh\nvmail:x:5000:5001:mail:/var/mail:/bin/false\n'
    : 'root:x:0:\nvmail:x:5001:\nmail:x:8:\n',
}

export function loadFrom(yamlText: string, ground: TestGround): Loaded {
  return loadText(yamlText, {
    source: 'test.yaml',
    base: ground.cwd,
    environment: ground.environment ?? {},
    machine: { ...TEST_MACHINE, ...ground.machine },
    purpose: ground.purpose,
  })
}

/** `settingsFrom('listeners: …', { cwd: directory })` */
export function settingsFrom(yamlText: string, ground: TestGround): Settings {
  const loaded = loadFrom(yamlText, ground)
  // Workers are sent them: whatever they are, they are plain data.
  if (loaded.status === 'ok') return structuredClone(loaded.settings)
  throw new Error(loaded.status === 'invalid' ? loaded.errors.map(describeError).join('\n') : loaded.cause)
}

/** to sign with; RSA takes a second to make */
const DKIM_KEY = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
const EXAMPLES = join(import.meta.dirname, '../../config')

/** Names of the examples in config/: `front-of-mta.yaml` and its siblings. */
export function exampleNames(): readonly string[] {
  return readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml'))
}

/**
 * Puts an example into `directory`, with the files that it refers to: `users`,
 * `aliases`, a certificate, a DKIM key, a password. Returns the path of its copy, for --config.
 */
export function prepareExample(name: string, directory: string): string {
  const path = join(directory, name)
  copyFileSync(join(EXAMPLES, name), path)
  copyFileSync(join(EXAMPLES, 'users.example'), join(directory, 'users'))
  copyFileSync(join(EXAMPLES, 'aliases.example'), join(directory, 'aliases'))
  mkdirSync(join(directory, 'tls'), { recursive: true })
  writeFileSync(join(directory, 'tls/fullchain.pem'), CERTIFICATE)
  writeFileSync(join(directory, 'tls/privkey.pem'), PRIVATE_KEY, { mode: 0o600 })
  writeFileSync(join(directory, 'relay.password'), 'secret\n', { mode: 0o600 })
  mkdirSync(join(directory, 'dkim'), { recursive: true })
  writeFileSync(join(directory, 'dkim/s2026._domainkey.example.org.pem'), DKIM_KEY, { mode: 0o600 })
  return path
}

/** Loads an example as `postern check` would, on the test machine; `edit` changes its text first. */
export function loadExample(name: string, directory: string, edit = (text: string): string => text): Loaded {
  return loadFrom(edit(readFileSync(prepareExample(name, directory), 'utf8')), { cwd: directory })
}
