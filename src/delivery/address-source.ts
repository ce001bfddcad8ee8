/**
 * Keeps the address book of a delivery hop up to date with its users and
 * aliases files.
 *
 * The files are looked at no more than once a second and only when an address
 * is asked for; how is in watched-file.ts. A malformed one is told in the log
 * with each line, and the last good content stays in use. An unreadable one
 * makes the book `unavailable`, for nobody can say then who is a user: the
 * caller answers 451. Nothing here rejects.
 */
import type { Domain } from '../smtp/envelope.ts'
import { checkAddressBook, type AddressBook } from './address-book.ts'
import { describeProblem } from './address-file.ts'
import { NO_ALIASES, parseAliases, type AliasTable, type AliasTarget } from './aliases.ts'
import { parseUsers, type UserTable } from './users.ts'
import { inTurns, look, watched, type FileContext, type LoadReport, type Report, type Watched } from './watched-file.ts'

export interface AddressSourceSettings {
  /** its name in the log */
  readonly hop: string
  readonly users: string | undefined
  readonly aliases: string | undefined
  readonly suffix: string
  readonly catchAll: AliasTarget | undefined
  readonly domains: ReadonlySet<Domain>
}

export type AddressSourceContext = FileContext
export type { LoadReport } from './watched-file.ts'

export type BookResult =
  | { readonly status: 'ok'; readonly book: AddressBook }
  | { readonly status: 'unavailable'; readonly cause: string }

export interface AddressSource {
  current(): Promise<BookResult>
  /** Looks at the files now, whether they changed or not. */
  reload(): Promise<LoadReport>
}

export function createAddressSource(settings: AddressSourceSettings, context: AddressSourceContext): AddressSource {
  const users: Watched<UserTable> | undefined = watched(settings.users, parseUsers)
  const aliases: Watched<AliasTable> | undefined = watched(settings.aliases, (text) => parseAliases(text, settings.domains))
  let last: BookResult = { status: 'unavailable', cause: 'not read yet' }
  let book: AddressBook | undefined

  async function load(force: boolean): Promise<LoadReport> {
    const report: Report = { errors: [], warnings: [] }
    const seen = [await look(users, { context, force, report }), await look(aliases, { context, force, report })]
    const unreadable = seen.find((result) => typeof result === 'object')
    if (unreadable !== undefined) last = { status: 'unavailable', cause: unreadable.unreadable }
    else {
      if (book === undefined || seen.includes('changed')) book = build(report) ?? book
      last = book === undefined ? { status: 'unavailable', cause: report.errors[0] ?? 'the users or aliases file is malformed' } : { status: 'ok', book }
    }
    tell(report)
    return report
  }

  function build(report: Report): AddressBook | undefined {
    if (users !== undefined && users.value === undefined) return undefined
    if (aliases !== undefined && aliases.value === undefined) return undefined
    const { suffix, catchAll, domains } = settings
    const made: AddressBook = { users: users?.value, aliases: aliases?.value ?? NO_ALIASES, domains, suffix, catchAll }
    const { errors, warnings } = checkAddressBook(made)
    const file = aliases?.path ?? ''
    report.errors.push(...errors.map((problem) => describeProblem(file, problem)))
    report.warnings.push(...warnings.map((problem) => describeProblem(file, problem)))
    return errors.length > 0 ? undefined : made
  }

  function tell(report: Report): void {
    for (const error of report.errors) context.log.error({ hop: settings.hop, kept: book !== undefined }, error)
    for (const warning of report.warnings) context.log.warn({ hop: settings.hop }, warning)
  }

  const looks = inTurns(load, context.monotonicMs)
  return {
    async current() {
      await looks.refresh()
      return last
    },
    reload: () => looks.reload(),
  }
}
