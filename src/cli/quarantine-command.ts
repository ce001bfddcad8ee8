/**
 * `postern quarantine …` on the command line: which subcommands there are and
 * what they take. What they do is in quarantine.ts.
 */
import { Option, type Command } from 'commander'
import type { ConfigOption } from './config-option.ts'

export interface ListRequest extends ConfigOption {
  readonly action: 'list'
  readonly json?: boolean
  /** a part of the address */
  readonly sender?: string
  readonly recipient?: string
  /** a part of it, decoded */
  readonly subject?: string
  /** no older than this: a duration */
  readonly since?: string
  readonly limit?: string
}

export interface ShowRequest extends ConfigOption {
  readonly action: 'show'
  /** or the beginning of it */
  readonly id: string
  readonly headers?: boolean
  readonly raw?: boolean
}

export interface ReleaseRequest extends ConfigOption {
  readonly action: 'release'
  /** or the beginning of it */
  readonly id: string
  readonly to?: string
  /** key under `hops`, in place of the one it was for */
  readonly hop?: string
}

export interface DeleteRequest extends ConfigOption {
  readonly action: 'delete'
  readonly ids: readonly string[]
}

export type QuarantineRequest = ListRequest | ShowRequest | ReleaseRequest | DeleteRequest

/** Adds the command to the program. */
export function quarantineCommand(program: Command, config: () => Option, run: (request: QuarantineRequest) => Promise<void>): void {
  const command = program.command('quarantine').description('list, show, release and delete messages that were kept back')
  command.command('list').description('what is kept, newest first').addOption(config()).allowExcessArguments(false)
    .option('--json', 'one JSON object a line')
    .option('--sender <text>', 'only with this in the sender\'s address')
    .option('--recipient <text>', 'only with this in the address of somebody who has not had it')
    .option('--subject <text>', 'only with this in its Subject')
    .option('--since <duration>', 'only what came in the last 2h, 7d …')
    .option('--limit <number>', 'at most so many', '100')
    .action((options: Omit<ListRequest, 'action'>) => run({ action: 'list', ...options }))
  command.command('show').description('envelope and reasons of a message').argument('<id>', 'its ID, or the beginning of it').addOption(config()).allowExcessArguments(false)
    .addOption(new Option('--headers', 'its header fields').conflicts('raw'))
    .option('--raw', 'all of it: byte for byte into a file or pipe, made safe on a terminal')
    .action((id: string, options: Omit<ShowRequest, 'action' | 'id'>) => run({ action: 'show', id, ...options }))
  command.command('release').description('send a message on, to those of its recipients who have not had it').argument('<id>', 'its ID, or the beginning of it').addOption(config()).allowExcessArguments(false)
    .option('--to <address>', 'only to this recipient; or a copy to somebody who is none')
    .option('--hop <name>', 'through this hop of the configuration (default: the one it was for)')
    .action((id: string, options: Omit<ReleaseRequest, 'action' | 'id'>) => run({ action: 'release', id, ...options }))
  command.command('delete').description('remove messages for good').argument('<id...>', 'whole IDs').addOption(config())
    .action((ids: string[], options: Omit<DeleteRequest, 'action' | 'ids'>) => run({ action: 'delete', ids, ...options }))
}
