/**
 * The bundled delivery, looked at before mail comes: what the users and aliases
 * files hold, whether there is a place for the Maildirs, whether this process
 * may give them to their owners. `postern check` shows it, `postern run` logs it.
 */
import type { MaildirSettings, Settings } from '../config/settings.ts'
import type { LoadReport } from '../delivery/address-source.ts'
import { nodeFileSystem } from '../delivery/file-system.ts'
import { checkLocal, readLocalSettings, type LocalSettingsContext, type ProcessIdentity } from '../delivery/local-settings.ts'

/** @param source the configuration's name, in front of what is said of its keys */
export async function checkDelivery(settings: Settings, source: string, process: ProcessIdentity): Promise<LoadReport> {
  const report = { errors: new Array<string>(), warnings: new Array<string>() }
  for (const hop of maildirHops(settings)) {
    const found = await checkLocal(hop, contextOf(settings, process), nodeFileSystem)
    // What is said of a key needs the file; what is said of users and aliases has theirs.
    const placed = (text: string): string => text.startsWith('hops.') ? `${source}: ${text}` : text
    report.errors.push(...found.errors.map(placed))
    report.warnings.push(...found.warnings.map(placed))
  }
  return report
}

/** What no change of a file can mend: the settings themselves, and the rights of this process. */
export function deliveryProblems(settings: Settings, source: string, process: ProcessIdentity): readonly string[] {
  return maildirHops(settings).flatMap((hop) => {
    const read = readLocalSettings(hop, contextOf(settings, process))
    return read.status === 'ok' ? [] : read.problems.map((problem) => `${source}: ${problem}`)
  })
}

function maildirHops(settings: Settings): readonly MaildirSettings[] {
  return [...settings.hops.values()].filter((hop) => hop.kind === 'maildir')
}

function contextOf({ hostname, domains }: Settings, process: ProcessIdentity): LocalSettingsContext {
  return { hostname, domains: new Set(domains.keys()), process }
}
