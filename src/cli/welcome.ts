/**
 * What a newcomer reads who started Postern without a configuration: what it
 * does now, how to send a first message, where that will lie, how to stop.
 * Variables of the environment may have changed any of it.
 */
import { relative } from 'node:path'
import type { HopSettings, Settings, SocketAddress } from '../config/settings.ts'
import { mailboxPath, parseMailboxTemplate } from '../delivery/mailbox-path.ts'
import type { Paint } from '../observe/readable.ts'
import { describeAddress } from '../supervisor/service.ts'

/** The text for the embedded default; `cwd` makes the paths short. */
export function welcome(settings: Settings, cwd: string, paint: Paint): string {
  const listener = settings.listeners[0]
  const address = listener?.listen[0]
  const hop = listener === undefined ? undefined : settings.hops.get(listener.next)
  const domain = [...settings.domains.keys()][0]
  const user = `you@${domain ?? 'localhost'}`
  const mailbox = hop === undefined || domain === undefined ? undefined : mailboxOf(hop, domain)
  const command = (text: string): string => `    ${paint('bold', text)}\n`
  return [
    `${paint('bold', 'Postern')} runs without a configuration file.\n`,
    ...(address === undefined ? [] : [
      `It takes mail for anybody @${domain ?? 'localhost'} at ${describeAddress(address)} and puts it into Maildirs,\n`,
      'and changes nothing in it but the fields that every delivery adds.\n\n',
      '  Send a first message from another terminal:\n',
      command(swaks(address, user)),
      '  or, with curl alone:\n',
      command(curl(address, user)),
    ]),
    ...(mailbox === undefined ? [] : [`  It will lie in ${paint('cyan', `${short(mailbox, cwd)}/new/`)}\n`]),
    '  See what becomes of other kinds of mail:\n',
    command('npm run demo'),
    '  Configurations to start from are in config/; a postern.yaml in this directory is used.\n',
    '  Ctrl-C stops it.\n\n',
  ].join('')
}

function swaks(address: SocketAddress, user: string): string {
  const where = address.kind === 'unix' ? `--socket ${quoted(address.path)}` : `--server ${describeAddress(address)}`
  return `swaks ${where} --to ${user}`
}

function curl(address: SocketAddress, user: string): string {
  const where = address.kind === 'unix' ? `--unix-socket ${quoted(address.path)} smtp://localhost` : `smtp://${describeAddress(address)}`
  return `printf 'Subject: Hello\\n\\nIt works.\\n' | curl -sS ${where} --crlf --mail-from me@example.org --mail-rcpt ${user} -T -`
}

/** As a shell takes it. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}

/** Undefined where nobody can tell beforehand. */
function mailboxOf(hop: HopSettings, domain: string): string | undefined {
  if (hop.kind !== 'maildir') return undefined
  const parsed = parseMailboxTemplate(hop.path)
  if (parsed.status === 'malformed') return undefined
  const made = mailboxPath(parsed.template, { domain, local: 'you', user: 'you' })
  return made.status === 'ok' ? made.path.path : undefined
}

function short(path: string, cwd: string): string {
  const inside = relative(cwd, path)
  return inside.startsWith('..') ? path : `./${inside}`
}
