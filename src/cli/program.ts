/**
 * The command line: which commands there are, what they take, what help says.
 * Returns the exit code of the command; 64, with the reason and a suggestion
 * on standard error, where the arguments are wrong.
 */
import { Command, CommanderError, Option } from 'commander'
import { allowCommand, type AllowRequest } from './allow-command.ts'
import type { CheckOptions } from './check.ts'
import type { ConfigOption } from './config-option.ts'
import type { DeliverOptions } from './deliver.ts'
import { dkimCommand, type DkimRequest } from './dkim-command.ts'
import { EXIT } from './exit-codes.ts'
import { importCommand, type ImportRequest } from './import-command.ts'
import { quarantineCommand, type QuarantineRequest } from './quarantine-command.ts'
import { scanCommand, type ScanRequest } from './scan-command.ts'
import { trainCommand, type TrainRequest } from './train-command.ts'
import { userCommand, type UserRequest } from './user-command.ts'
import { whyCommand, type WhyRequest } from './why-command.ts'

/** Each returns its exit code. */
export interface Commands {
  run(options: ConfigOption): Promise<number>
  check(options: CheckOptions): Promise<number>
  demo(): Promise<number>
  deliver(options: DeliverOptions): Promise<number>
  health(options: ConfigOption): Promise<number>
  quarantine(request: QuarantineRequest): Promise<number>
  why(request: WhyRequest): Promise<number>
  scan(request: ScanRequest): Promise<number>
  allow(request: AllowRequest): Promise<number>
  importFrom(request: ImportRequest): Promise<number>
  dkim(request: DkimRequest): Promise<number>
  user(request: UserRequest): Promise<number>
  train(request: TrainRequest): Promise<number>
}

export interface ProgramIo {
  readonly version: string
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/** @param argv without the program's own name */
export async function runProgram(argv: readonly string[], commands: Commands, io: ProgramIo): Promise<number> {
  let exitCode: number = EXIT.ok
  const program = describeProgram(commands, io, (code) => {
    exitCode = code
  })
  if (argv.length === 0) {
    io.err(program.helpInformation())
    return EXIT.usage
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // --help and --version end by an exception of code 0; everything else is wrong usage.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  }
}

function describeProgram(commands: Commands, io: ProgramIo, finish: (exitCode: number) => void): Command {
  const program = new Command('postern')
    .description('A transparent SMTP policy and signing gateway')
    .version(io.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('(postern --help lists the commands and options)')
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .exitOverride()
  const config = (): Option => new Option('-c, --config <file>', 'configuration file (default: ./postern.yaml, then /etc/postern/postern.yaml, then a built-in one)')

  program.command('run').description('start the gateway').addOption(config()).allowExcessArguments(false)
    .action(async (options: ConfigOption) => finish(await commands.run(options)))
  program.command('check').description('validate the configuration and say what it comes to').addOption(config())
    .option('--dns', 'also what the outside world must know of us, and whether the resolver is fit for block lists')
    .allowExcessArguments(false)
    .action(async (options: CheckOptions) => finish(await commands.check(options)))
  program.command('demo').description('send samples through a gateway started for the purpose and show what became of each').allowExcessArguments(false)
    .action(async () => finish(await commands.demo()))
  program.command('deliver').description('run the bundled Maildir delivery as a process of its own, spoken to by LMTP').addOption(config())
    .requiredOption('-l, --listen <address>', 'where to listen: unix:/path or 127.0.0.1:2424')
    .option('--hop <name>', 'the Maildir hop of the configuration that is meant, where it has several')
    .option('--mode <octal>', 'permissions of the unix socket', '0660')
    .option('--spool <directory>', 'for large messages while they come in (default: tmp in the state directory)')
    .allowExcessArguments(false)
    .action(async (options: DeliverOptions) => finish(await commands.deliver(options)))
  program.command('health').description('ask the running gateway for its greeting: exit code 0 if it answers, 75 if not').addOption(config()).allowExcessArguments(false)
    .action(async (options: ConfigOption) => finish(await commands.health(options)))
  allowCommand(program, config, async (request) => finish(await commands.allow(request)))
  quarantineCommand(program, config, async (request) => finish(await commands.quarantine(request)))
  whyCommand(program, config, async (request) => finish(await commands.why(request)))
  scanCommand(program, config, async (request) => finish(await commands.scan(request)))
  dkimCommand(program, config, async (request) => finish(await commands.dkim(request)))
  trainCommand(program, config, async (request) => finish(await commands.train(request)))
  userCommand(program, config, async (request) => finish(await commands.user(request)))
  importCommand(program, async (request) => finish(await commands.importFrom(request)))
  return program
}
