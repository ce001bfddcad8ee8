/**
 * An Rspamd of the test's own, on loopback and on a unix socket, with a
 * controller that wants a password. Its rules are two of the test's: a header
 * that is spam, and one that repeats what it was told about the session. Of the
 * modules that it comes with only that of regular expressions runs: nothing
 * asks the network. An Error with its log where it does not listen.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../ports.ts'
import { temporaryDirectory, until } from '../process.ts'
import { daemon, type EngineDaemon } from './clamd.ts'
import { accepts } from './listening.ts'

export interface Rspamd extends EngineDaemon {
  readonly controller: { readonly host: string; readonly port: number }
}

export async function startRspamd({ password }: { readonly password: string }): Promise<Rspamd> {
  const directory = temporaryDirectory('rspamd')
  const path = join(directory, 'normal.sock')
  const tcp = { host: '127.0.0.1', port: await freePort() }
  const controller = { host: '127.0.0.1', port: await freePort() }
  mkdirSync(join(directory, 'db'))
  // Its own list of top-level domains takes ten seconds to be compiled.
  writeFileSync(join(directory, 'suffixes'), 'com\nexample\nnet\norg\n')
  writeFileSync(join(directory, 'rules.lua'), RULES)
  writeFileSync(join(directory, 'rspamd.conf'), configuration(directory, { path, normal: tcp.port, controller: controller.port, password }))
  const running = await daemon(['/usr/bin/rspamd', '--no-fork', '--insecure', '-c', join(directory, 'rspamd.conf')], { path, tcp })
  await until('the controller of rspamd listens', () => accepts(controller), { detail: running.log })
  return { ...running, controller }
}

const RULES = `
config['regexp'] = { CHEAP_WATCHES = { re = 'Subject=/cheap watches/i{header}', score = 7.5, description = 'Watches are offered' } }
rspamd_config:register_symbol({
  name = 'SESSION', type = 'normal', score = 0.1,
  callback = function(task)
    local from = (task:get_from('smtp') or {})[1] or {}
    local to = {}
    for _, one in ipairs(task:get_recipients('smtp') or {}) do table.insert(to, one.addr) end
    local ip = task:get_from_ip()
    return true, 1.0,
      'ip=' .. tostring(ip and ip:to_string()), 'helo=' .. tostring(task:get_helo()), 'host=' .. tostring(task:get_hostname()),
      'from=' .. tostring(from.addr), 'to=' .. table.concat(to, ' ') .. ' user=' .. tostring(task:get_user()) .. ' id=' .. tostring(task:get_queue_id())
  end
})
`

interface Places {
  readonly path: string
  readonly normal: number
  readonly controller: number
  readonly password: string
}

function configuration(directory: string, { path, normal, controller, password }: Places): string {
  return `
lua = "${directory}/rules.lua"
options {
  pidfile = "${directory}/pid";
  filters = "regexp";
  control_socket = "${directory}/control.sock mode=0600";
  tempdir = "${directory}";
  hs_cache_dir = "${directory}/db";
  cache_file = "${directory}/db/symbols.cache";
  stats_file = "${directory}/db/stats.ucl";
  history_file = "${directory}/db/history";
  url_tld = "${directory}/suffixes";
  disable_hyperscan = true;
  dns { nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; }
}
logging { type = "console"; level = "info"; }
worker "normal" { bind_socket = "127.0.0.1:${normal}"; bind_socket = "${path} mode=0666"; count = 1; }
worker "controller" { bind_socket = "127.0.0.1:${controller}"; count = 1; password = "${password}"; secure_ip = "192.0.2.1"; }
actions { reject = 15; add_header = 6; greylist = 4; }
regexp { }
`
}
