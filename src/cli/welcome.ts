/**
 * What a newcomer reads who started Postern without a configuration: what it
 * does now, how to send a first message, where that will lie, how to stop.
 */
import { relative } from 'node:path'
import type { Settings } from '../config/settings.ts'
import type { Paint } from '../observe/readable.ts'

/** The text for the embedded default; `cwd` makes the paths short. */
export function welcome(settings: Settings, cwd: string, paint: Paint): string {
  const listener = settings.listeners[0]
  const address = listener?.listen[0]
  const hop = listener === undefined ? undefined : settings.hops.get(listener.next)
  const domain = [...settings.domains.keys()][0]
  if (address?.kind !== 'tcp' || hop?.kind !== 'maildir' || domain === undefined) {
    throw new Error('the embedded default is a TCP listener in front of Maildirs')
  }
  const at = `${address.host}:${address.port}`
  const user = `you@${domain}`
  const mailbox = short(hop.path.replace('{domain}', domain).replace('{local}', 'you').replace('{user}', 'you'), cwd)
  const command = (text: string): string => `    ${paint('bold', text)}\n`
  return [
    `${paint('bold', 'Postern')} runs without a configuration file.\n`,
    `It takes mail for anybody @${domain} at ${at} and puts it into Maildirs,\n`,
    'and changes nothing in it but the fields that every delivery adds.\n\n',
    '  Send a first message from another terminal:\n',
    command(`swaks --server ${at} --to ${user}`),
    '  or, with curl alone:\n',
    command(`printf 'Subject: Hello\\n\\nIt works.\\n' | curl -sS smtp://${at} --crlf --mail-from me@example.org --mail-rcpt ${user} -T -`),
    `  It will lie in ${paint('cyan', mailbox + '/new/')}\n`,
    '  See what becomes of other kinds of mail:\n',
    command('npm run demo'),
    '  Configurations to start from are in config/; a postern.yaml in this directory is used.\n',
    '  Ctrl-C stops it.\n\n',
  ].join('')
}

function short(path: string, cwd: string): string {
  const inside = relative(cwd, path)
  return inside.startsWith('..') ? path : `./${inside}`
}
