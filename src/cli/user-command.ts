/**
 * `postern user …` on the command line: which subcommands there are and what
 * they take. What they do is in user.ts. A password is never an argument:
 * whoever lists the processes would see it.
 */
import { Option, type Command } from 'commander'
import { WRITTEN_SCHEMES, type WrittenScheme } from '../submission/written-schemes.ts'
import type { ConfigOption } from './config-option.ts'

interface UsersOption extends ConfigOption {
  /** the users file; default: that of the configuration's submission listeners */
  readonly users?: string
}

interface PasswordOption {
  /** `-` is standard input */
  readonly passwordFile?: string
  readonly scheme: WrittenScheme
}

export interface UserAddRequest extends UsersOption, PasswordOption {
  readonly action: 'add'
  readonly name: string
}

export interface UserPasswordRequest extends UsersOption, PasswordOption {
  readonly action: 'passwd'
  readonly name: string
}

export interface UserRemoveRequest extends UsersOption {
  readonly action: 'remove'
  readonly names: readonly string[]
}

export interface UserListRequest extends UsersOption {
  readonly action: 'list'
  readonly json?: boolean
}

export type UserRequest = UserAddRequest | UserPasswordRequest | UserRemoveRequest | UserListRequest

/** Adds the command to the program. */
export function userCommand(program: Command, config: () => Option, run: (request: UserRequest) => Promise<void>): void {
  const command = program.command('user').description('the users file: who may log in, with which password')
  const users = (): Option => new Option('--users <file>', 'the users file (default: that of the submission listeners)')
  const scheme = (): Option => new Option('--scheme <scheme>', 'how the password is kept').choices([...WRITTEN_SCHEMES]).default('argon2id')
  const passwordFile = (): Option => new Option('--password-file <file>', 'its first line is the password; - is standard input (default: asked for on the terminal, or standard input)')
  command.command('add').description('add a user: anna@example.org, or anna for all of our domains').argument('<name>', 'name of the user').addOption(config()).addOption(users()).addOption(scheme()).addOption(passwordFile())
    .action((name: string, options: Omit<UserAddRequest, 'action' | 'name'>) => run({ action: 'add', name, ...options }))
  command.command('passwd').description('give a user another password').argument('<name>', 'name of the user').addOption(config()).addOption(users()).addOption(scheme()).addOption(passwordFile())
    .action((name: string, options: Omit<UserPasswordRequest, 'action' | 'name'>) => run({ action: 'passwd', name, ...options }))
  command.command('remove').description('take users out').argument('<name...>', 'their names').addOption(config()).addOption(users())
    .action((names: string[], options: Omit<UserRemoveRequest, 'action' | 'names'>) => run({ action: 'remove', names, ...options }))
  command.command('list').description('the users, and how their passwords are kept').addOption(config()).addOption(users()).allowExcessArguments(false)
    .option('--json', 'one JSON object a line')
    .action((options: Omit<UserListRequest, 'action'>) => run({ action: 'list', ...options }))
}
