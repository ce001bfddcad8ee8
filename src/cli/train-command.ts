/** `postern train …` on the command line: which subcommands there are and what they take. What they do is in train.ts. */
import type { Command, Option } from 'commander'
import type { ConfigOption } from './config-option.ts'

export interface TrainPathsRequest extends ConfigOption {
  readonly action: 'spam' | 'ham' | 'forget'
  /** `-` is standard input */
  readonly paths: readonly string[]
}

export interface TrainStatusRequest extends ConfigOption {
  readonly action: 'status'
  readonly json?: boolean
}

export type TrainRequest = TrainPathsRequest | TrainStatusRequest

const SOURCES = 'files, folders of files, Maildirs, mboxes; - is standard input'

/** Adds the command to the program. */
export function trainCommand(program: Command, config: () => Option, run: (request: TrainRequest) => Promise<void>): void {
  const command = program.command('train').description('teach the classifier which mail is wanted and which is not')
  const paths = (action: TrainPathsRequest['action'], description: string): void => {
    command.command(action).description(description).argument('<path...>', SOURCES).addOption(config())
      .action((given: string[], options: ConfigOption) => run({ action, paths: given, ...options }))
  }
  paths('spam', 'these are unwanted; a message that was learnt as wanted is moved')
  paths('ham', 'these are wanted; a message that was learnt as unwanted is moved')
  paths('forget', 'take back what was learnt of these')
  command.command('status').description('how much the classifier knows').addOption(config()).allowExcessArguments(false)
    .option('--json', 'one JSON object')
    .action((options: Omit<TrainStatusRequest, 'action'>) => run({ action: 'status', ...options }))
}
