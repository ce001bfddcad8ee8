/**
 * What is wrong with the files of listeners that users log in to (users with
 * their passwords, senders, certificates), and with those of our own passwords
 * at hops. They are read as the gateway reads them; no password is ever shown.
 */
import type { Settings } from '../config/settings.ts'
import { nodeFileSystem } from '../delivery/file-system.ts'
import { readPasswordFile } from '../delivery/password-file.ts'
import { createFileSource, type LoadReport, type Parsed } from '../delivery/watched-file.ts'
import { parseCertificateMap } from '../submission/certificates.ts'
import { parsePasswords } from '../submission/password-file.ts'
import { parseSenders } from '../submission/send-as.ts'

const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

export async function checkUsers({ listeners, hops }: Settings): Promise<LoadReport> {
  const reports = await Promise.all(listeners.flatMap(({ submission }) => {
    if (submission === undefined) return []
    const { authentication: { users, domains, certificates }, sendAs: { senders } } = submission
    return [read(users, (text) => parsePasswords(text, domains)), read(senders, parseSenders), read(certificates?.map, parseCertificateMap)]
  }))
  const passwords = await Promise.all([...hops.values()].flatMap((hop) => (hop.kind === 'maildir' ? [] : [...(hop.login === undefined ? [] : [hop.login]), ...(hop.senderLogins ?? [])].map(({ passwordFile }) => checkPassword(hop.name, passwordFile)))))
  // Several listeners may share a file.
  return { errors: [...new Set([...reports.flatMap(({ errors }) => errors), ...passwords.flat()])], warnings: [...new Set(reports.flatMap(({ warnings }) => warnings))] }
}

async function read<T>(path: string | undefined, parse: (text: string) => Parsed<T>): Promise<LoadReport> {
  if (path === undefined) return { errors: [], warnings: [] }
  return createFileSource({ path, parse, facts: {} }, { files: nodeFileSystem, log: QUIET, monotonicMs: () => 0 }).reload()
}

async function checkPassword(hop: string, path: string): Promise<readonly string[]> {
  const read = await readPasswordFile(path)
  return read.status === 'ok' ? [] : [`${path}: the password of hop ${hop} cannot be used: ${read.problem}`]
}
