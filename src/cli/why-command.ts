/** `postern why …` on the command line: what it takes. What it does is in why.ts. */
import { Option, type Command } from 'commander'
import type { ConfigOption } from './config-option.ts'

export interface WhyRequest extends ConfigOption {
  /** or the beginning of it; undefined with `diff` */
  readonly id: string | undefined
  readonly json?: boolean
  /** where the shadow policy disagrees */
  readonly diff?: boolean
  /** of `diff`: no older than this, a duration */
  readonly since?: string
  /** of `diff`: at most so many are listed */
  readonly limit?: string
}

/** Adds the command to the program. */
export function whyCommand(program: Command, config: () => Option, run: (request: WhyRequest) => Promise<void>): void {
  program.command('why').description('explain a decision: what was found out, what counted, what would have changed it')
    .argument('[id]', 'the ID that stands in the reply, in Received and in the log, or the beginning of it').addOption(config()).allowExcessArguments(false)
    .option('--json', 'as it is stored: one JSON object a line')
    .option('--diff', 'instead: where the shadow policy would have decided otherwise, newest first, and a summary')
    .addOption(new Option('--since <duration>', 'with --diff: only what was decided in the last 2h, 7d … (default: 1d)').implies({ diff: true }))
    .addOption(new Option('--limit <number>', 'with --diff: list at most so many (default: 50); the summary counts all').implies({ diff: true }))
    .action((id: string | undefined, options: Omit<WhyRequest, 'id'>) => run({ id, ...options }))
}
