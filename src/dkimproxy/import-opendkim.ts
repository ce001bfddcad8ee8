/**
 * `postern import opendkim`: a postern.yaml out of an opendkim.conf(5), with a
 * comment at each line that means something else now, and warnings for what has
 * no counterpart. OpenDKIM is a milter and Postern stands in the way of mail, so
 * that the listener is new: the comments say what the MTA has to be told. Pure:
 * the files that it names are read by who calls.
 */
import type { ImportContext, ImportFile, Imported } from './import-dkimproxy.ts'
import { YamlText, list, mapping, scalar } from './yaml-text.ts'

interface Setting {
  readonly name: string
  readonly value: string
  readonly file: string
  readonly line: number
}

/** What does nothing here, and needs no word. */
const SILENT = new Set(['syslog', 'syslogfacility', 'syslogsuccess', 'logwhy', 'logresults', 'umask', 'userid', 'pidfile', 'background', 'autorestart', 'autorestartrate', 'autorestartcount', 'basedirectory', 'socket', 'mode', 'requiresafekeys', 'trustanchorfile', 'changerootdirectory', 'dnstimeout'])
const TAKEN = new Set(['domain', 'selector', 'keyfile', 'keytable', 'signingtable', 'canonicalization', 'internalhosts', 'externalignorelist', 'peerlist', 'oversignheaders', 'signheaders', 'subdomains', 'multiplesignatures', 'signaturettl', 'authservid', 'senderheaders', 'nameservers', 'signaturealgorithm', 'include', 'on-internalerror'])
const DAY_SECONDS = 86_400

export function importOpenDkim(files: readonly ImportFile[], context: ImportContext): Imported {
  const settings = new Map<string, Setting>()
  const warnings: string[] = []
  for (const file of files) {
    for (const [index, raw] of file.text.split('\n').entries()) {
      const match = /^\s*([A-Za-z][\w-]*)(?:\s+(.*?))?\s*$/.exec(raw.replace(/#.*$/, ''))
      if (match === null) continue
      const [, name = '', value = ''] = match
      settings.set(name.toLowerCase(), { name, value, file: file.path, line: index + 1 })
    }
  }
  if (settings.size === 0) return { status: 'wrong', errors: ['there is nothing in the files that an opendkim.conf would have'] }
  for (const { name, file, line, value } of settings.values()) {
    const key = name.toLowerCase()
    if (!SILENT.has(key) && !TAKEN.has(key)) warnings.push(`${file}:${line}: ${name} has no counterpart`)
    if (key === 'include') warnings.push(`${file}:${line}: Include is not followed; name ${value} beside this file`)
  }
  return { status: 'ok', yaml: new OpenDkimImporter(settings, { context, warnings }).yaml(), warnings }
}

class OpenDkimImporter {
  private readonly settings: ReadonlyMap<string, Setting>
  private readonly context: ImportContext
  private readonly warnings: string[]
  private readonly text = new YamlText()

  constructor(settings: ReadonlyMap<string, Setting>, { context, warnings }: { readonly context: ImportContext; readonly warnings: string[] }) {
    this.settings = settings
    this.context = context
    this.warnings = warnings
  }

  yaml(): string {
    const { text } = this
    const hostname = this.value('authservid')
    text.remark('Made by "postern import opendkim". Comments say what is different from OpenDKIM; "postern check" looks at all of it.')
    text.line(`hostname: ${scalar(hostname === undefined || hostname === 'HOSTNAME' ? this.context.hostname : hostname)}`).line('state: /var/lib/postern')
    const servers = this.items('nameservers')
    if (servers.length > 0) text.line(`dns: { servers: ${list(servers)} }`)
    this.listener()
    this.signing()
    return text.toString()
  }

  private value(name: string): string | undefined {
    const value = this.settings.get(name)?.value
    return value === '' ? undefined : value
  }

  private warn(name: string, what: string): void {
    const found = this.settings.get(name)
    if (found !== undefined) this.warnings.push(`${found.file}:${found.line}: ${found.name} ${what}`)
  }

  private isYes(name: string): boolean {
    return /^(?:y|yes|true|1|t)$/i.test(this.value(name) ?? '')
  }

  /** A data set (opendkim(8)): a list with commas, or the lines of a file. */
  private items(name: string): readonly string[] {
    const value = this.value(name)
    if (value === undefined) return []
    const path = /^(?:file:|refile:)(.+)$/.exec(value)?.[1] ?? (value.startsWith('/') ? value : undefined)
    if (path === undefined) return value.replace(/^csl:/, '').split(',').map((one) => one.trim()).filter((one) => one !== '')
    const text = this.context.readText(path)
    if (text === undefined) this.warn(name, `is ${path}, which cannot be read`)
    return (text ?? '').split('\n').map((line) => line.replace(/#.*$/, '').trim()).filter((line) => line !== '').map((line) => line.split(/\s+/)[0] ?? line)
  }

  private listener(): void {
    const mode = (this.value('mode') ?? 'sv').toLowerCase()
    const { text } = this
    text.blank().remark('OpenDKIM is a milter; Postern stands in the way of outgoing mail and hands it on, here from port 10027 to 10028. In Postfix: take it out of smtpd_milters and '
      + 'non_smtpd_milters, set content_filter = smtp:[127.0.0.1]:10027 for what your users send, and add an smtpd on 127.0.0.1:10028 with content_filter= to master.cf.')
    text.line('listeners:').line('  - name: sign').line('    role: outbound').line('    listen: "127.0.0.1:10027"').line('    transparent: true', 'every command and reply passes; only signatures are added')
    text.line(`    clients: ${list(this.clients())}`, 'who is signed for: InternalHosts, as networks; here it is the MTA that connects').line('    next: signed')
    text.blank().line('hops:').line('  signed: { smtp: "127.0.0.1:10028" }')
    if (mode.includes('v')) this.warnings.push(`Mode ${mode}: verifying is what a listener with the role inbound does (in front of the MTA, port 25); it is not set up here`)
  }

  private clients(): readonly string[] {
    const found = ['127.0.0.0/8', '::1']
    for (const item of this.items('internalhosts')) {
      const host = item.replace(/^\[|\]$/g, '')
      if (['127.0.0.1', '::1', 'localhost'].includes(host)) continue
      if (/^[0-9A-Fa-f:.]+(?:\/\d+)?$/.test(host) && /[.:]/.test(host)) found.push(host)
      else this.warn('internalhosts', `names ${JSON.stringify(item)}; clients takes addresses and networks only`)
    }
    for (const name of ['externalignorelist', 'peerlist']) this.warn(name, 'has no counterpart: whoever is in clients is signed for, nobody else may connect')
    return found
  }

  private signing(): void {
    const { text } = this
    text.blank().line('signing:')
    if (this.value('keytable') !== undefined || this.value('signingtable') !== undefined) this.tables()
    else this.keys()
    const [header = 'simple', body = 'simple'] = (this.value('canonicalization') ?? 'simple/simple').toLowerCase().split('/')
    if ([header, body].every((one) => one === 'simple' || one === 'relaxed')) text.line(`  canonicalization: ${header}/${body}`, this.value('canonicalization') === undefined ? "OpenDKIM's default; relaxed/relaxed survives more" : '')
    else this.warn('canonicalization', 'is none that there is')
    this.fields()
    const ttl = Number(this.value('signaturettl') ?? 0)
    if (ttl >= DAY_SECONDS) text.line(`  expire: ${ttl}s`)
    else if (ttl > 0) this.warn('signaturettl', `is ${ttl} seconds; mail can be on its way for longer, so expire is a day at the least. It is left out`)
    const onError = this.value('on-internalerror')?.toLowerCase()
    if (onError === 'accept' || onError === 'a') text.line('  on_error: unsigned')
    this.warn('signaturealgorithm', 'has no counterpart: an RSA key signs rsa-sha256, an Ed25519 key ed25519-sha256')
    if (this.value('senderheaders') !== undefined && !/^from$/i.test(this.value('senderheaders') ?? '')) this.warn('senderheaders', 'has no counterpart: the address of From counts')
    this.warnings.push('Postern refuses keys that others than root and its own user can read, and RSA keys below 2048 bits: "postern check" names them')
  }

  private tables(): void {
    for (const [name, key] of [['keytable', 'key_table'], ['signingtable', 'signing_table']] as const) {
      const value = this.value(name)
      const plain = value?.replace(/^file:/, '')
      if (value === undefined) this.warnings.push(`there is no ${name === 'keytable' ? 'KeyTable' : 'SigningTable'}; both are needed`)
      else if (/^(?:refile:)?\//.test(plain ?? '')) this.text.line(`  ${key}: ${scalar(plain ?? '')}`)
      else this.warn(name, `is ${JSON.stringify(value)}; only file: and refile: are taken`)
    }
    if (this.isYes('multiplesignatures')) this.text.line('  multiple_signatures: true')
  }

  private keys(): void {
    const domains = this.items('domain')
    const selector = this.value('selector')
    const key = this.value('keyfile')
    if (domains.length === 0 || selector === undefined || key === undefined) {
      this.warnings.push('Domain, Selector and KeyFile do not make a key together, and there are no tables; keys are to be named by hand')
      this.text.line('  keys: []')
      return
    }
    this.text.line('  keys:')
    for (const domain of domains) {
      if (domain.includes('*')) this.warn('domain', `has ${JSON.stringify(domain)}; a key has one domain, and subdomains: true takes those below it`)
      this.text.line(`    - ${mapping([['domain', scalar(domain.replace(/^\*\./, ''))], ['selector', scalar(selector)], ['key', scalar(key)], ['subdomains', this.isYes('subdomains') || domain.startsWith('*.') ? 'true' : undefined]])}`)
    }
  }

  private fields(): void {
    const signed = this.items('signheaders')
    if (signed.some((one) => /^[*+-]/.test(one))) this.warn('signheaders', 'changes a list of OpenDKIM\'s own with *, + or -; fields takes a whole list. It is left out')
    else if (signed.length > 0) this.text.line(`  fields: ${list(signed.map((one) => one.toLowerCase()))}`)
    const over = this.items('oversignheaders').map((one) => one.toLowerCase())
    if (over.length > 0) this.text.line(`  oversign: ${list(over)}`, 'without this line Postern oversigns more: From, To, Cc, Subject, Reply-To')
  }
}
