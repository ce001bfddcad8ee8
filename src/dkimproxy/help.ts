/** What `--help` says. */
import type { Program } from './options.ts'

const OUT = `Usage: dkimproxy.out [options] [LISTEN RELAY]

Signs what passes (DKIM, RFC 6376). Takes the options and files of DKIMproxy.

  --conf_file=FILE             options, one a line: key value
  --listen=HOST:PORT           where to listen
  --relay=HOST[:PORT]          where to relay to (port 25)
  --domain=NAME[,NAME...]      whose mail is signed
  --selector=NAME              selector of the key
  --keyfile=FILE               private key (PEM)
  --method=METHOD              simple, relaxed, or two with a slash (relaxed)
  --signature=dkim[(k=v,...)]  a signature; repeatable
  --sender_map=FILE            signatures by sender
  --listid_map=FILE            signatures by List-Id
  --reject-error               450 where a message cannot be signed; otherwise it goes out unsigned
`
const IN = `Usage: dkimproxy.in [options] [LISTEN RELAY]

Verifies what passes (DKIM, RFC 6376), and says so in Authentication-Results.
Takes the options and files of DKIMproxy.

  --conf_file=FILE             options, one a line: key value
  --listen=HOST:PORT           where to listen
  --relay=HOST[:PORT]          where to relay to (port 25)
  --hostname=NAME              the name in Authentication-Results (that of the system)
  --reject-fail                550 where the sender's DMARC policy says reject
  --reject-error               450 or 550 where a signature cannot be evaluated
`
const BOTH = `
  --daemonize                  detach, once it listens
  --user=USER --group=GROUP    whom to run as, once it listens
  --pidfile=FILE               the number of the process
  --log_file=FILE              Sys::Syslog is the system's log
  --log_level=N                0 errors, 1 warnings, 2 each message (default), 3 and 4 more
  --max_servers=N              sessions at once (50); more of them wait

SIGHUP reads maps and keys again, SIGTERM lets sessions finish.
`

export function helpText(program: Program): string {
  return (program === 'dkimproxy.out' ? OUT : IN) + BOTH
}
