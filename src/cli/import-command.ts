/** `postern import …` on the command line: what it takes. What it does is in import.ts. */
import type { Command } from 'commander'

export interface ImportRequest {
  readonly from: 'dkimproxy' | 'opendkim'
  readonly files: readonly string[]
}

/** Adds the command to the program. */
export function importCommand(program: Command, run: (request: ImportRequest) => Promise<void>): void {
  const command = program.command('import').description('write a postern.yaml out of the files of another program')
  command.command('dkimproxy').description('out of dkimproxy_out.conf, dkimproxy_in.conf or both').argument('<file...>', 'the configuration files')
    .action((files: string[]) => run({ from: 'dkimproxy', files }))
  command.command('opendkim').description('out of opendkim.conf').argument('<file...>', 'the configuration file, and those that it includes')
    .action((files: string[]) => run({ from: 'opendkim', files }))
}
