/**
 * `postern allow …` on the command line: which subcommands there are and what
 * they take. What they do is in allow.ts.
 */
import type { Command, Option } from 'commander'
import type { ConfigOption } from './config-option.ts'

export interface AddRequest extends ConfigOption {
  readonly action: 'add'
  /** in place of --domain and the like */
  readonly who?: string | undefined
  readonly domain?: string
  readonly dkim?: string
  readonly spf?: string
  readonly address?: readonly string[]
  readonly sender?: string
  readonly recipient?: string
  /** names parted by commas */
  readonly checks?: string
  readonly reason: string
  readonly author?: string
  /** a duration, a day, a time, or `never` */
  readonly expires: string
  readonly id?: string
}

export interface AllowListRequest extends ConfigOption {
  readonly action: 'list'
  readonly json?: boolean
}

export interface RemoveRequest extends ConfigOption {
  readonly action: 'remove'
  readonly ids: readonly string[]
}

export type AllowRequest = AddRequest | AllowListRequest | RemoveRequest

/** Adds the command to the program. */
export function allowCommand(program: Command, config: () => Option, run: (request: AllowRequest) => Promise<void>): void {
  const command = program.command('allow').description('say who is let through, from what, why, and until when')
  command.command('add').description('add an entry to the allow list')
    .argument('[who]', 'an address, a domain (with a leading dot all below it too), an IP address or a network; or one of the options --domain, --dkim, --spf, --address').addOption(config()).allowExcessArguments(false)
    .option('--domain <domain>', 'mail that is proved to be of this domain, by DKIM or SPF; a leading dot includes all below it')
    .option('--dkim <domain>', 'the same, by DKIM only')
    .option('--spf <domain>', 'the same, by SPF only')
    .option('--address <network...>', 'clients at these addresses or networks')
    .option('--sender <sender>', 'only from this address or domain of the envelope')
    .option('--recipient <address>', 'only to this address, or to @domain')
    .option('--checks <names>', 'only these checks are excused, as rdns,fcrdns,greylist (default: all)')
    .requiredOption('--reason <text>', 'why; it stands in every decision that the entry changes')
    .option('--author <name>', 'who says so (default: your login)')
    .option('--expires <when>', 'after this long (30d), on a day (2027-01-31), or never', '90d')
    .option('--id <id>', 'its name in the list (default: made from who it is)')
    .action((who: string | undefined, options: Omit<AddRequest, 'action' | 'who'>) => run({ action: 'add', ...(who !== undefined && { who }), ...options }))
  command.command('list').description('the entries, and how often each was of use').addOption(config()).allowExcessArguments(false)
    .option('--json', 'one JSON object a line')
    .action((options: Omit<AllowListRequest, 'action'>) => run({ action: 'list', ...options }))
  command.command('remove').description('take entries out').argument('<id...>', 'their IDs').addOption(config())
    .action((ids: string[], options: Omit<RemoveRequest, 'action' | 'ids'>) => run({ action: 'remove', ids, ...options }))
}
