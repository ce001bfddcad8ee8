/**
 * The configuration reference, generated from the schema:
 * `node src/config/reference.ts > docs/configuration.md`. A test fails where
 * the file differs from this, so that no key is undocumented.
 */
import { Leaf, leavesOf, variableName } from './leaf.ts'
import type { Group } from './leaf.ts'
import { CONFIG_VARIABLE, SEARCH_PATH } from './load.ts'
import { EMBEDDED_DEFAULT } from './embedded.ts'
import { HOP_WITHOUT_VARIABLE, LISTENER, LMTP_HOP, MAILDIR_HOP, ROOT, SMTP_HOP, WITHOUT_VARIABLE } from './schema.ts'

const INTRODUCTION = `# Configuration

*Generated from the schema by \`node src/config/reference.ts\`. Change \`src/config/schema.ts\`, not this file.*

Postern reads one YAML file. \`postern check\` reads it without starting anything, and names every error with its file,
line, key, what was found and what is allowed. Annotated examples are in \`config/\`.

## Where it is read from

The file of \`--config\`; otherwise that of the environment variable \`${CONFIG_VARIABLE}\`; otherwise the first of
${SEARCH_PATH.map((path) => `\`${path.startsWith('/') ? path : `./${path}`}\``).join(', ')} that is there; otherwise the embedded default, which needs no DNS, no root and no file:

\`\`\`yaml
${EMBEDDED_DEFAULT}\`\`\`

Relative paths are taken from the directory of the configuration file (of the embedded default: from the working directory).

## How values are written

- A **duration** is a number with its unit: \`500ms\`, \`5s\`, \`10m\`, \`2h\`, \`1d\`.
- A **size** is a number of bytes, with or without a unit: \`4096\`, \`64KiB\` (1024 bytes each), \`50MB\` (a million bytes each), \`1GiB\`.
- A **switch** is \`true\` or \`false\`; \`yes\`, \`no\`, \`on\` and \`off\` are understood.
- Where a **list** may stand, a single value is a list of one.
- An **address** is \`host:port\`, \`[IPv6]:port\` or \`unix:/path\`.
- A **domain name** outside ASCII may be written as it is; it is compared as its A-label, without regard to case.
- YAML anchors and aliases may be used. A key that stands twice, and a key that is not described here, is an error.

## Environment

Each key below has an environment variable, which goes before the file. The items of a list are parted by commas there.
The names of listeners and hops stand in upper case, with \`_\` for other characters: the key \`tls.mode\` of the listener
\`mail-in\` is \`POSTERN_LISTENERS_MAIL_IN_TLS_MODE\`. Listeners and hops themselves come from the file. An empty variable
counts as unset. A \`POSTERN_\` variable that sets nothing is warned of.

## No open relay

An inbound listener takes mail for \`domains\` and for nothing else. An outbound listener takes mail to any recipient, but
from its \`clients\` only. No list of \`clients\` or \`trust\` may cover the world: private, loopback, link-local, unique local
and shared (100.64.0.0/10) networks may be as wide as they are; a public network is no wider than /16 (IPv4) or /32 (IPv6); a network under which
IPv4 addresses appear in IPv6 (IPv4-mapped and IPv4-compatible addresses, NAT64, SIIT, Teredo) no wider than what is a /16 of IPv4;
a list has at most 256 entries; and all public networks of outbound listeners together are no wider than an IPv4 /8 and an IPv6 /24.
A trusted peer of an outbound listener is believed about who its client is, so give trust only to machines that check for themselves.
Where a proxy, a container network or an address translation makes every client look like a private address, do not put that address into \`clients\`.
`

/** The whole document. */
export function configurationReference(): string {
  return [
    INTRODUCTION,
    section('Top level', 'Keys of the document itself. `listeners` and `hops` have their own sections below.', ROOT, { prefix: '', words: [], withoutVariable: WITHOUT_VARIABLE }),
    section('Listeners', 'At `listeners`: a list of 1 to 64, each with these keys.', LISTENER, {
      prefix: 'listeners[].', words: ['listeners', '<NAME>'], withoutVariable: ['name', 'tls.more'],
    }),
    '## Hops\n\nAt `hops`: a mapping of names to next hops, 1 to 256. A hop has exactly one of the keys `smtp`, `lmtp` and `maildir`, and those that go with it. '
      + 'A hop that leads back to a listener of this configuration is an error; one that nothing uses is warned of.\n',
    section('SMTP and LMTP hops', 'A hop has one of the first two keys.', { smtp: SMTP_HOP.smtp, lmtp: LMTP_HOP.lmtp, ...omit(SMTP_HOP, 'smtp') }, HOP, '###'),
    section('Maildir hops', 'The bundled delivery.', MAILDIR_HOP, HOP, '###'),
  ].join('\n')
}

interface Naming {
  readonly prefix: string
  readonly words: readonly string[]
  readonly withoutVariable?: readonly string[]
}

const HOP: Naming = { prefix: 'hops.<name>.', words: ['hops', '<NAME>'], withoutVariable: HOP_WITHOUT_VARIABLE }

/** What the kinds of relay share. */
function omit<G extends Group>(group: G, name: keyof G): Group {
  return Object.fromEntries(Object.entries(group).filter(([key]) => key !== name))
}

function section(...[title, text, group, naming, level = '##']: [string, string, Group, Naming, string?]): string {
  const keys = leavesOf(group).map(({ path, leaf }) => describeKey(path, leaf, { naming, level: `${level}#` }))
  return `${level} ${title}\n\n${text}\n\n${keys.join('\n')}`
}

function describeKey(path: readonly string[], leaf: Leaf<unknown>, { naming, level }: { naming: Naming; level: string }): string {
  const { format, about } = leaf
  const name = naming.prefix + path.join('.')
  const lines = [
    `${level} \`${name}\``, '', about.doc, '',
    `- Type: ${format.type}${format.unit === undefined ? '' : `, in ${format.unit}`}`,
    `- Allowed: ${format.allowed}`,
    `- Default: ${describeDefault(leaf)}`,
    `- Environment: ${naming.withoutVariable?.includes(path.join('.')) ? 'none' : `\`${variable(path, naming)}\``}`,
  ]
  for (const [part, meaning] of Object.entries(format.parts ?? {})) lines.push(`- \`${name}[].${part}\`: ${meaning}`)
  return lines.join('\n') + '\n'
}

function describeDefault({ about, presence }: Leaf<unknown>): string {
  if (presence === 'required') return 'none, the key must stand'
  return about.defaultText ?? (about.default === null ? 'none' : `\`${about.default}\``)
}

function variable(path: readonly string[], { words }: Naming): string {
  return variableName([...words.filter((word) => word !== '<NAME>'), ...path]).replace(/^POSTERN_(LISTENERS|HOPS)_/, (start) => `${start}<NAME>_`)
}

if (process.argv[1] === import.meta.filename) process.stdout.write(configurationReference())
