/**
 * A spamd of the test's own, on a unix socket and on loopback, with the rules
 * that Debian ships and one of the test's; no network, no preferences of users.
 * An Error with its log where it does not listen.
 */
import { chmodSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../ports.ts'
import { temporaryDirectory } from '../process.ts'
import { daemon, type EngineDaemon } from './clamd.ts'

/** `lines` stand in its local.cf. */
export async function startSpamd(lines: readonly string[]): Promise<EngineDaemon> {
  const directory = temporaryDirectory('spamd')
  const rules = join(directory, 'rules')
  const home = join(directory, 'home')
  mkdirSync(rules)
  mkdirSync(home)
  chmodSync(home, 0o777)
  // Which plugins there are.
  for (const file of readdirSync('/etc/spamassassin').filter((name) => name.endsWith('.pre'))) cpSync(join('/etc/spamassassin', file), join(rules, file))
  writeFileSync(join(rules, 'local.cf'), ['use_bayes 0', ...lines, ''].join('\n'))
  const path = join(directory, 'spamd.sock')
  const tcp = { host: '127.0.0.1', port: await freePort() }
  return await daemon([
    '/usr/sbin/spamd', '--nouser-config', '--local', `--helper-home-dir=${home}`, '--configpath=/usr/share/spamassassin', `--siteconfigpath=${rules}`,
    '--max-children=2', '--min-children=2', '--min-spare=1', '--max-spare=2', '--username=nobody', '--syslog=stderr', `--pidfile=${directory}/pid`,
    `--socketpath=${path}`, '--socketmode=0666', `--listen=${tcp.host}:${tcp.port}`, '--allowed-ips=127.0.0.1',
  ], { path, tcp })
}
