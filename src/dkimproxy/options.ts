/**
 * The options of DKIMproxy 1.4 and of Net::Server, which reads its configuration:
 * their names, what kind of value they take, and what they still do.
 */
export type Program = 'dkimproxy.out' | 'dkimproxy.in'

export interface OptionKind {
  /** `flag`: true where it stands alone; `list`: repetitions add up, of the others the last counts */
  readonly kind: 'text' | 'flag' | 'list'
  readonly program?: Program
  /** why it does nothing any more; undefined: it does what it did */
  readonly idle?: string
}

const PREFORK = 'one process serves all connections'
const NET_SERVER = 'has no meaning here'

const idle = (why: string, ...names: readonly string[]): [string, OptionKind][] => names.map((name) => [name, { kind: 'text', idle: why }])
const working = (kind: OptionKind['kind'], ...names: readonly string[]): [string, OptionKind][] => names.map((name) => [name, { kind }])
const particular = (program: Program, kind: OptionKind['kind'], ...names: readonly string[]): [string, OptionKind][] => names.map((name) => [name, { kind, program }])

export const OPTIONS: ReadonlyMap<string, OptionKind> = new Map([
  ...working('text', 'conf_file', 'listen', 'relay', 'relay_host', 'relay_port', 'host', 'port'),
  ...working('text', 'user', 'group', 'pidfile', 'pid_file', 'chroot', 'log_level', 'log_file', 'syslog_ident', 'syslog_facility', 'max_servers'),
  ...working('flag', 'daemonize', 'setsid', 'background', 'reject_error', 'debugtrace'),
  ...working('list', 'allow', 'deny', 'cidr_allow', 'cidr_deny'),
  ...particular('dkimproxy.out', 'text', 'domain', 'keyfile', 'selector', 'method', 'dkim_method', 'domainkeys_method', 'identity', 'sender_map', 'listid_map'),
  ...particular('dkimproxy.out', 'list', 'signature'),
  ...particular('dkimproxy.in', 'text', 'hostname'),
  ...particular('dkimproxy.in', 'flag', 'reject_fail'),
  ...idle(PREFORK, 'min_servers', 'min_spare_servers', 'max_spare_servers', 'spare_servers', 'max_requests', 'max_dequeue', 'check_for_dead', 'check_for_waiting', 'check_for_dequeue',
    'check_for_spawn', 'min_child_ttl', 'child_communication', 'lock_file', 'serialize', 'sig_passthrough', 'server_type'),
  ...idle('logger(1) finds its way to the system log', 'syslog_logsock', 'syslog_logopt'),
  ...idle(NET_SERVER, 'proto', 'ipv', 'reverse_lookups', 'double_reverse_lookups', 'double_reverse_autofail', 'double_reverse_debug', 'no_client_stdout', 'no_close_by_child', 'leave_children_open_on_hup',
    'disable_dns', 'tie_client_stdout', 'tie_stdout', 'listen_backlog', 'reuse_port', 'udp_recv_len', 'udp_recv_flags', 'access_log_file', 'log_function', 'commandline', 'serialize_file', 'log_client'),
])

/** What Perl takes for false, and what people mean by it. */
export function isOn(value: string): boolean {
  return !['', '0', 'no', 'off', 'false'].includes(value.toLowerCase())
}
