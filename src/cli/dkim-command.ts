/**
 * `postern dkim …` on the command line: which subcommands there are and what
 * they take. What they do is in dkim.ts and the files beside it.
 */
import { Option, type Command } from 'commander'
import type { ConfigOption } from './config-option.ts'

export type KeyType = 'rsa' | 'ed25519'
export type RecordFormat = 'zone' | 'web' | 'raw'

export interface KeygenRequest {
  readonly action: 'keygen'
  readonly domain: string
  readonly selector?: string
  readonly type: KeyType
  /** of RSA */
  readonly bits: string
  /** a file, or a folder that is there */
  readonly out?: string
  readonly format: RecordFormat
}

export interface RecordRequest extends ConfigOption {
  readonly action: 'record'
  /** a key file or a domain; undefined: all keys of the configuration */
  readonly of: string | undefined
  readonly domain?: string
  readonly selector?: string
  readonly format: RecordFormat
}

export interface SignRequest extends ConfigOption {
  readonly action: 'sign'
  /** undefined: standard input */
  readonly file: string | undefined
  /** without these the keys are those of the configuration */
  readonly domain?: string
  readonly selector?: readonly string[]
  readonly key?: readonly string[]
  readonly canonicalization?: string
}

export interface VerifyRequest extends ConfigOption {
  readonly action: 'verify'
  readonly file: string | undefined
  readonly json?: boolean
  /** address of a DNS server, in place of those of the configuration */
  readonly dns?: string
  /** a file of TXT records, in place of the DNS */
  readonly records?: string
}

export interface RotateRequest extends ConfigOption {
  readonly action: 'rotate'
  readonly domain: string
  readonly selector?: string
  /** how long the servers of the zone are waited for */
  readonly wait: string
  readonly format: RecordFormat
}

export type DkimRequest = KeygenRequest | RecordRequest | SignRequest | VerifyRequest | RotateRequest

const more = (one: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), one]
const format = (): Option => new Option('--format <form>', 'of the record: lines for a zone file, values for a web page, or the bare text').choices(['zone', 'web', 'raw']).default('zone')

/** Adds the command to the program. */
export function dkimCommand(program: Command, config: () => Option, run: (request: DkimRequest) => Promise<void>): void {
  const command = program.command('dkim').description('keys that mail is signed with: make, publish, change, try them')
  command.command('keygen').description('make a key and print the DNS record to publish').argument('<domain>', 'whose mail it will sign').allowExcessArguments(false)
    .option('-s, --selector <name>', 'name of the key (default: s or e, and the day)')
    .addOption(new Option('-t, --type <type>', 'kind of key').choices(['rsa', 'ed25519']).default('rsa'))
    .option('--bits <number>', 'size of an RSA key, 2048 to 4096', '2048')
    .option('-o, --out <path>', 'file of the private key, or a folder for it (default: this folder)')
    .addOption(format())
    .action((domain: string, options: Omit<KeygenRequest, 'action' | 'domain'>) => run({ action: 'keygen', domain, ...options }))
  command.command('record').description('print the DNS record of a key').argument('[of]', 'a key file, or a domain of the configuration (default: all of its keys)').addOption(config()).allowExcessArguments(false)
    .option('-d, --domain <domain>', 'of a key file whose name does not say it')
    .option('-s, --selector <name>', 'of a key file whose name does not say it')
    .addOption(format())
    .action((of: string | undefined, options: Omit<RecordRequest, 'action' | 'of'>) => run({ action: 'record', of, ...options }))
  command.command('sign').description('sign a message and print it').argument('[file]', 'the message (default: standard input)').addOption(config()).allowExcessArguments(false)
    .option('-d, --domain <domain>', 'who signs (default: what the configuration has for the message)')
    .option('-s, --selector <name>', 'of the key; may stand several times, once for each --key', more)
    .option('-k, --key <file>', 'private key; may stand several times', more)
    .option('--canonicalization <two>', 'of header and body, as relaxed/simple')
    .action((file: string | undefined, options: Omit<SignRequest, 'action' | 'file'>) => run({ action: 'sign', file, ...options }))
  command.command('verify').description('verify the signatures of a message').argument('[file]', 'the message (default: standard input)').addOption(config()).allowExcessArguments(false)
    .option('--json', 'one JSON object')
    .option('--dns <server>', 'ask this server: 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53')
    .option('--records <file>', 'take the keys from this file, as "postern dkim record" prints them, and ask no DNS')
    .action((file: string | undefined, options: Omit<VerifyRequest, 'action' | 'file'>) => run({ action: 'verify', file, ...options }))
  command.command('rotate').description('change the key of a domain: make the next one, wait until it is published, switch').argument('<domain>').addOption(config()).allowExcessArguments(false)
    .option('-s, --selector <name>', 'of the new key (default: s or e, and the day)')
    .option('--wait <duration>', 'for the record to stand on every server of the zone; then run it again', '1h')
    .addOption(format())
    .action((domain: string, options: Omit<RotateRequest, 'action' | 'domain'>) => run({ action: 'rotate', domain, ...options }))
}
