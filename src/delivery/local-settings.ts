/**
 * Reads the settings of a Maildir hop for what local delivery needs, and checks
 * them, with the files they name, before mail comes: the path template, the
 * catch-all, the owner that this process can or cannot give to files. Returns
 * sentences that say what is wrong and what is allowed; nothing throws.
 */
import type { MaildirSettings } from '../config/settings.ts'
import type { Log } from '../observe/log.ts'
import type { Domain } from '../smtp/envelope.ts'
import { resolveAddress } from './address-book.ts'
import { foldLocalPart, parseFileDomain } from './address-file.ts'
import { createAddressSource, type LoadReport } from './address-source.ts'
import type { AliasTarget } from './aliases.ts'
import type { FileSystem } from './file-system.ts'
import { parseMailboxTemplate, unsafeBecause, type MailboxPath, type MailboxTemplate } from './mailbox-path.ts'
import type { FolderPlan } from './maildir-folder.ts'
import type { Owner } from './users.ts'

export interface ProcessIdentity {
  /** effective user and group; undefined where the system has none */
  readonly uid: number | undefined
  readonly gid: number | undefined
  readonly groups: readonly number[]
  readonly platform: string
}

export interface LocalRules {
  readonly template: MailboxTemplate
  readonly addresses: {
    readonly users: string | undefined
    readonly aliases: string | undefined
    readonly suffix: string
    readonly catchAll: AliasTarget | undefined
    readonly domains: ReadonlySet<Domain>
  }
  /** of `<postmaster>` without a domain */
  readonly ownDomain: Domain | undefined
  readonly owner: Owner
  readonly mode: number
  /** we are root and may give files away */
  readonly asRoot: boolean
}

export interface LocalSettingsContext {
  readonly hostname: string
  readonly domains: ReadonlySet<Domain>
  readonly process?: ProcessIdentity
}

export type LocalSettingsResult =
  | { readonly status: 'ok'; readonly rules: LocalRules }
  | { readonly status: 'malformed'; readonly problems: readonly string[] }

const SILENT: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

export function readLocalSettings(settings: MaildirSettings, context: LocalSettingsContext): LocalSettingsResult {
  const identity = context.process ?? processIdentity()
  const problems: string[] = []
  const template = parseMailboxTemplate(settings.path)
  if (template.status === 'malformed') problems.push(`hops.${settings.name}.maildir: ${template.why}`)
  const catchAll = settings.catchAll === undefined ? undefined : parseCatchAll(settings.catchAll, context.domains)
  if (typeof catchAll === 'string') problems.push(`hops.${settings.name}.catch_all: ${catchAll}`)
  problems.push(...ownerProblems(settings, identity))
  if (template.status === 'malformed' || typeof catchAll === 'string' || problems.length > 0) return { status: 'malformed', problems }
  const rules: LocalRules = {
    template: template.template,
    addresses: { users: settings.users, aliases: settings.aliases, suffix: settings.suffix, catchAll, domains: context.domains },
    ownDomain: ownDomain(context),
    owner: { uid: settings.uid, gid: settings.gid },
    mode: settings.mode & 0o666,
    asRoot: identity.uid === 0,
  }
  return { status: 'ok', rules }
}

/** Everything that can be told without mail. */
export async function checkLocal(settings: MaildirSettings, context: LocalSettingsContext, files: FileSystem): Promise<LoadReport> {
  const read = readLocalSettings(settings, context)
  if (read.status === 'malformed') return { errors: read.problems, warnings: [] }
  const { addresses, template } = read.rules
  // A source of its own: the check tells its findings by itself and disturbs nothing.
  const source = createAddressSource({ ...addresses, hop: settings.name }, { files, log: SILENT, monotonicMs: () => 0 })
  const report = await source.reload()
  const errors = [...report.errors]
  const warnings = [...report.warnings]
  const current = await source.current()
  if (current.status === 'ok' && addresses.catchAll !== undefined) {
    const { local } = addresses.catchAll
    const domains = addresses.catchAll.domain === undefined ? [...addresses.domains] : [addresses.catchAll.domain]
    const book = { ...current.book, catchAll: undefined }
    if (!domains.some((domain) => resolveAddress(book, { local, domain }).status === 'mailboxes')) {
      errors.push(`hops.${settings.name}.catch_all: ${settings.catchAll ?? ''} is neither user nor alias`)
    }
  }
  try {
    const facts = await files.stat(template.fixed)
    if (facts.kind !== 'directory') errors.push(`hops.${settings.name}.maildir: ${template.fixed} is not a directory`)
  } catch (error) {
    errors.push(`hops.${settings.name}.maildir: ${template.fixed} must exist, only what is below it is made: ${error instanceof Error ? error.message : String(error)}`)
  }
  return { errors, warnings }
}

/** How a mailbox's folder is to be: the user's own uid and gid count only where we may set them. */
export function planOf(rules: LocalRules, path: MailboxPath, user: Owner | undefined): FolderPlan {
  const { owner: ownerAbove, mode, asRoot } = rules
  const owner = !asRoot || user === undefined ? ownerAbove : { uid: user.uid ?? ownerAbove.uid, gid: user.gid ?? ownerAbove.gid }
  return { path, owner, ownerAbove, mode, guarded: asRoot }
}

export function processIdentity(): ProcessIdentity {
  return { uid: process.geteuid?.(), gid: process.getegid?.(), groups: process.getgroups?.() ?? [], platform: process.platform }
}

function ownerProblems(settings: MaildirSettings, identity: ProcessIdentity): readonly string[] {
  const { uid, gid } = settings
  const problems: string[] = []
  if (identity.uid === 0) {
    // Whoever owns a folder on the way could lead root elsewhere by a link, and only Linux lets us look.
    if (identity.platform !== 'linux') problems.push(`hops.${settings.name}: as root, delivery is safe on Linux only; run as the user who owns the mailboxes`)
    return problems
  }
  if (uid !== undefined && uid !== identity.uid) {
    problems.push(`hops.${settings.name}.owner: files cannot be given to user ${uid} by user ${identity.uid ?? '?'}; run as ${uid} or as root, or leave it out`)
  }
  if (gid !== undefined && gid !== identity.gid && !identity.groups.includes(gid)) {
    problems.push(`hops.${settings.name}.owner: files cannot be given to group ${gid}, of which this process is no member; run as root, or leave it out`)
  }
  return problems
}

function parseCatchAll(text: string, domains: ReadonlySet<Domain>): AliasTarget | string {
  const at = text.lastIndexOf('@')
  const local = foldLocalPart(at < 0 ? text : text.slice(0, at))
  const why = unsafeBecause(local)
  if (why !== null) return `"${text}" cannot be a mailbox: its local part ${why}`
  if (at < 0) return { local, domain: undefined }
  const domain = parseFileDomain(text.slice(at + 1))
  if (domain === null) return `"${text.slice(at + 1)}" is not a domain`
  return domains.has(domain) ? { local, domain } : `${domain} is not among the domains that are accepted: ${[...domains].slice(0, 10).join(', ') || 'none'}`
}

function ownDomain(context: LocalSettingsContext): Domain | undefined {
  const hostname = parseFileDomain(context.hostname)
  if (hostname !== null && context.domains.has(hostname)) return hostname
  for (const domain of context.domains) return domain
  return undefined
}
