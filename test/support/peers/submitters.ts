/**
 * Programs that people submit mail with (RFC 6409), each with the login, the
 * TLS and the certificate that a test wants: msmtp, swaks, curl and Python's
 * smtplib. Every one of them checks the server's certificate.
 *
 * A submission gives the exit code and all that the program printed. Secrets of
 * tests may stand in arguments.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, temporaryDirectory, type Outcome } from '../process.ts'

export interface Submission {
  readonly port: number
  readonly tls: 'off' | 'starttls' | 'implicit'
  /** PEM file of the authority of the server's certificate; it has to be there where TLS is */
  readonly authority?: string
  /** undefined: without a login */
  readonly mechanism?: string
  readonly user?: string
  readonly password?: string
  /** the client's own */
  readonly certificate?: { readonly certFile: string; readonly keyFile: string }
  readonly from: string
  readonly to: readonly string[]
  readonly message: string
  /** the address that a PROXY header tells; swaks only */
  readonly address?: string
}

export type Submitter = (submission: Submission) => Promise<Outcome>

const HELO = 'laptop.example'

export const msmtp: Submitter = ({ port, tls, authority, mechanism, user, password, certificate, from, to, message }) => {
  const lines = [
    'defaults', 'account test', 'host 127.0.0.1', `port ${port}`, `domain ${HELO}`, `from ${from}`,
    ...(tls === 'off' ? ['tls off'] : ['tls on', `tls_starttls ${tls === 'starttls' ? 'on' : 'off'}`, `tls_trust_file ${authority ?? ''}`]),
    ...(certificate === undefined ? [] : [`tls_cert_file ${certificate.certFile}`, `tls_key_file ${certificate.keyFile}`]),
    ...(mechanism === undefined ? ['auth off'] : [`auth ${mechanism.toLowerCase()}`]),
    ...(user === undefined ? [] : [`user ${user}`]),
    ...(password === undefined ? [] : [`password "${password}"`]),
    // What it is handed is what it sends: it adds no Date and no Message-ID.
    'set_date_header off', 'set_msgid_header off',
    'account default : test', '',
  ]
  return run(['msmtp', '--debug', `--file=${written('msmtprc', lines.join('\n'))}`, '--', ...to], { input: Buffer.from(message, 'latin1') })
}

export const swaks: Submitter = ({ port, tls, authority, mechanism, user, password, certificate, from, to, message, address }) => {
  // swaks ends what it sends with a line end of its own.
  const data = ['--data', `@${written('message', message.replace(/\r\n$/, ''))}`]
  const secure = tls === 'off' ? [] : [tls === 'starttls' ? '--tls' : '--tls-on-connect', '--tls-verify', '--tls-ca-path', authority ?? '']
  const own = certificate === undefined ? [] : ['--tls-cert', certificate.certFile, '--tls-key', certificate.keyFile]
  const login = mechanism === undefined ? [] : ['--auth', mechanism, '--auth-user', user ?? '', '--auth-password', password ?? '']
  const proxy = address === undefined ? [] : ['--proxy-version', '1', '--proxy-family', 'TCP4', '--proxy-source', address, '--proxy-source-port', '4711', '--proxy-dest', '198.51.100.1', '--proxy-dest-port', '465']
  return run(['swaks', '--server', '127.0.0.1', '--port', String(port), '--helo', HELO, '--from', from === '' ? '<>' : from, '--to', to.join(','), ...data, ...secure, ...own, ...login, ...proxy])
}

export const curl: Submitter = ({ port, tls, authority, mechanism, user, password, certificate, from, to, message }) => {
  const secure = tls === 'off' ? [] : ['--ssl-reqd', '--cacert', authority ?? '']
  const own = certificate === undefined ? [] : ['--cert', certificate.certFile, '--key', certificate.keyFile]
  const login = mechanism === undefined ? [] : ['--login-options', `AUTH=${mechanism}`, '--user', `${user ?? ''}:${password ?? ''}`]
  const scheme = tls === 'implicit' ? 'smtps' : 'smtp'
  return run(['curl', '-sSv', ...secure, ...own, ...login, '--mail-from', from, ...to.flatMap((one) => ['--mail-rcpt', one]), '--upload-file', written('message', message), `${scheme}://127.0.0.1:${port}/${HELO}`])
}

/** smtplib tries what it knows of what is offered, CRAM-MD5 first; one mechanism is asked for by its own method. */
const SMTPLIB = [
  'import json, smtplib, ssl, sys',
  'o = json.loads(sys.argv[1])',
  'context = ssl.create_default_context(cafile=o.get("authority")) if o["tls"] != "off" else None',
  'if context and o.get("certificate"): context.load_cert_chain(o["certificate"]["certFile"], o["certificate"]["keyFile"])',
  'if o["tls"] == "implicit": s = smtplib.SMTP_SSL("127.0.0.1", o["port"], "laptop.example", context=context)',
  'else: s = smtplib.SMTP("127.0.0.1", o["port"], "laptop.example")',
  's.set_debuglevel(1)',
  'if o["tls"] == "starttls": s.starttls(context=context)',
  's.ehlo()',
  'm = o.get("mechanism")',
  'if m:',
  '    s.user, s.password = o.get("user"), o.get("password")',
  '    if m == "ANY": s.login(s.user, s.password)',
  '    else: s.auth(m, getattr(s, "auth_" + m.lower().replace("-", "_")))',
  'refused = s.sendmail(o["from"], o["to"], sys.stdin.buffer.read())',
  's.quit()',
  'sys.exit(1 if refused else 0)',
].join('\n')

export const smtplib: Submitter = ({ message, ...options }) => run(['python3', '-c', SMTPLIB, JSON.stringify(options)], { input: Buffer.from(message, 'latin1') })

/** GNU SASL's own client logs in and leaves; it binds to the TLS connection (-PLUS) where it is not told otherwise. */
export function gsasl({ port, authority, mechanism, user, password }: Pick<Submission, 'port' | 'authority' | 'mechanism' | 'user' | 'password'>, options: readonly string[] = []): Promise<Outcome> {
  return run(['gsasl', '--smtp', '--starttls', '--verbose', '--connect', `127.0.0.1:${port}`, '--hostname', 'localhost', '--x509-ca-file', authority ?? '', '-a', user ?? '', '-p', password ?? '', ...(mechanism === undefined ? [] : ['-m', mechanism]), ...options])
}

function written(name: string, text: string): string {
  const file = join(temporaryDirectory('submission'), name)
  // msmtp takes passwords out of a file of its user's own only.
  writeFileSync(file, text, { encoding: 'latin1', mode: 0o600 })
  return file
}

/** The last refusal that a program told of, otherwise the last reply; empty where it told of none. */
export function lastReply({ output }: Outcome): string {
  // swaks `<** 535 …`, msmtp `<-- 535 …`, curl `< 535 …`, smtplib `reply: b'535 …\r\n'`
  const replies = [...output.matchAll(/^(?:<[-~*]* +|reply: b')(\d{3} .*)$/gm)].map(([, text = '']) => text.replace(/\\r\\n'$/, '').trimEnd())
  return replies.findLast((reply) => /^[45]/.test(reply)) ?? replies.findLast((reply) => !reply.startsWith('221 ')) ?? ''
}
