/** `postern scan …` on the command line: what it takes. What it does is in scan.ts. */
import type { Command, Option } from 'commander'
import type { ConfigOption } from './config-option.ts'

export interface ScanRequest extends ConfigOption {
  /** undefined or `-`: standard input; a folder is one of messages */
  readonly file: string | undefined
  /** of the client; undefined: nothing is known of the connection, and the message alone is judged */
  readonly ip?: string
  readonly helo?: string
  /** reverse-path; '' or `<>` for the null one */
  readonly from?: string
  readonly rcpt?: readonly string[]
  readonly json?: boolean
  /** say the verdict in the exit code too */
  readonly exitCode?: boolean
}

/** Adds the command to the program. */
export function scanCommand(program: Command, config: () => Option, run: (request: ScanRequest) => Promise<void>): void {
  program.command('scan').description('judge a message in a file as if it came in; deliver, store and count nothing')
    .argument('[file]', 'the message, or a Maildir, folder or mbox of several (default, or -: one from standard input)').addOption(config()).allowExcessArguments(false)
    .option('--ip <address>', 'the client\'s IP address (default: whatever rests on it is left out, SPF and DMARC too)')
    .option('--helo <name>', 'what it says in EHLO (default: that check is left out)')
    .option('--from <address>', 'sender of the envelope, <> for none (default: the message\'s Return-Path, or none)')
    .option('--rcpt <address>', 'recipient of the envelope; may stand several times (default: postmaster of the first domain)', (one: string, before: readonly string[] | undefined) => [...(before ?? []), one])
    .option('--json', 'one JSON object a message, each in a line of its own')
    .option('--exit-code', '0 accepted, 2 into quarantine, 4 put off, 5 refused; of several messages the highest; 65 if all are accepted that could be read')
    .action((file: string | undefined, options: Omit<ScanRequest, 'file'>) => run({ file, ...options }))
}
