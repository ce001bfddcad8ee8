/**
 * `postern import dkimproxy`: a postern.yaml out of DKIMproxy's configuration
 * files, with a comment at each line that means something else now, and
 * warnings for what has no counterpart. Pure: maps are read by who calls.
 */
import { describeNotice, readCommandLine, readConfFile, type Given, type Notice } from './given.ts'
import { lookUpKeys, readMap, type MapEntry } from './map-file.ts'
import type { Program } from './options.ts'
import { settleIn, settleOut, type CommonSettings, type HostPort, type InSettings, type OutSettings, type Said } from './settings.ts'
import { expandMacro, readMethod, readSignature, splitSignatures, type SignatureWords } from './signature-words.ts'
import { YamlText, list, mapping, scalar } from './yaml-text.ts'

export interface ImportFile {
  readonly path: string
  readonly text: string
}

export interface ImportContext {
  /** of this machine */
  readonly hostname: string
  /** undefined where it cannot be read */
  readonly readText: (path: string) => string | undefined
}

export type Imported =
  | { readonly status: 'ok'; readonly yaml: string; readonly warnings: readonly string[] }
  | { readonly status: 'wrong'; readonly errors: readonly string[] }

const NO_COUNTERPART: Readonly<Record<string, string>> = {
  user: 'the systemd unit says whom Postern runs as (User=)', group: 'the systemd unit says whom Postern runs as (Group=)', daemonize: 'Postern stays in the foreground, for systemd',
  setsid: 'Postern stays in the foreground, for systemd', background: 'Postern stays in the foreground, for systemd', pidfile: 'systemd knows the process', pid_file: 'systemd knows the process',
  log_file: 'the log is JSON lines on standard output, for the journal', log_level: 'the log has levels of its own (log.level)', syslog_ident: 'the log goes to the journal', syslog_facility: 'the log goes to the journal',
  allow: 'clients takes networks, no regular expressions', deny: 'clients takes networks that may, none that may not', cidr_deny: 'clients takes networks that may, none that may not',
  identity: 'signatures have no i=', debugtrace: 'there is log.level: debug', domainkeys_method: 'DomainKeys is historic',
}

export function importDkimproxy(files: readonly ImportFile[], context: ImportContext): Imported {
  const importer = new Importer(context)
  for (const file of files) importer.add(file)
  return importer.result()
}

/** By what only one of them has; otherwise by its name. */
function programOf({ path, text }: ImportFile): Program {
  if (/^\s*(?:--)?(?:hostname|reject_fail)\b/m.test(text)) return 'dkimproxy.in'
  if (/^\s*(?:--)?(?:domain|keyfile|selector|signature|sender_map|listid_map)\b/m.test(text)) return 'dkimproxy.out'
  return /[_.-]in(?:\.conf)?$/.test(path) ? 'dkimproxy.in' : 'dkimproxy.out'
}

interface KeyLine {
  readonly pairs: readonly (readonly [string, string | undefined])[]
  readonly remark: string
}

class Importer {
  private readonly context: ImportContext
  private readonly warnings: string[] = []
  private readonly errors: string[] = []
  private out: OutSettings | undefined
  private in: InSettings | undefined
  private clients: string[] | undefined
  private readonly methods = new Map<string, string>()

  constructor(context: ImportContext) {
    this.context = context
  }

  add(file: ImportFile): void {
    const program = programOf(file)
    const reading = readConfFile(file.text, file.path, program)
    const settled = program === 'dkimproxy.out' ? settleOut(reading, readCommandLine([], program)) : settleIn(reading, readCommandLine([], program))
    for (const notice of settled.status === 'ok' ? reading.warnings : [...reading.warnings, ...settled.warnings]) this.warn(notice)
    if (settled.status === 'wrong') {
      this.errors.push(...settled.errors.map(describeNotice))
      return
    }
    this.noteRest(reading.given)
    if (settled.settings.program === 'dkimproxy.out') this.out = settled.settings
    else this.in = settled.settings
  }

  private warn(notice: Notice): void {
    this.warnings.push(describeNotice(notice))
  }

  private noteRest(given: readonly Given[]): void {
    for (const { name, value, place } of given) {
      const why = NO_COUNTERPART[name]
      if (name === 'cidr_allow') this.clients = [...(this.clients ?? []), ...value.split(/[\s,]+/)]
      else if (why !== undefined) this.warn({ place, text: `${name} has no counterpart: ${why}` })
    }
  }

  result(): Imported {
    if (this.out === undefined && this.in === undefined && this.errors.length === 0) this.errors.push('there is no file to import')
    if (this.errors.length > 0) return { status: 'wrong', errors: this.errors }
    const yaml = new YamlText()
    yaml.remark('Made by "postern import dkimproxy". Comments say what is different from DKIMproxy; "postern check" looks at all of it.')
    yaml.line(`hostname: ${scalar(this.in?.hostname ?? this.context.hostname)}`, this.in === undefined ? '' : 'the name in Authentication-Results')
    yaml.line('state: /var/lib/postern')
    if (this.in !== undefined) yaml.blank().line('domains: [example.org]', 'CHANGE THIS: whom mail is accepted for. DKIMproxy passes mail to anybody on; an inbound listener refuses relaying')
    yaml.blank().line('listeners:')
    if (this.out !== undefined) this.outbound(yaml, this.out)
    if (this.in !== undefined) this.inbound(yaml, this.in)
    yaml.blank().line('hops:')
    if (this.out !== undefined) yaml.line(`  signed: { smtp: ${address(this.out.relay)} }`)
    if (this.in !== undefined) yaml.line(`  verified: { smtp: ${address(this.in.relay)}, xforward: true }`)
    this.policy(yaml)
    if (this.out !== undefined) this.signing(yaml, this.out)
    return { status: 'ok', yaml: yaml.toString(), warnings: this.warnings }
  }

  private listener(yaml: YamlText, name: string, { listen }: CommonSettings): void {
    yaml.line(`  - name: ${name}`)
    const hosts = listen.host === '*' ? ['0.0.0.0', '::'] : [listen.host]
    yaml.line(`    listen: [${hosts.map((host) => address({ ...listen, host })).join(', ')}]`)
  }

  private outbound(yaml: YamlText, out: OutSettings): void {
    this.listener(yaml, 'sign', out)
    yaml.line('    role: outbound').line('    transparent: true', 'every command and reply passes, as with DKIMproxy; without it Postern is a relay of its own')
    if (this.clients === undefined) yaml.line('    clients: [127.0.0.0/8, "::1"]', 'DKIMproxy lets everybody in where allow and deny are not set')
    else yaml.line(`    clients: ${list(this.clients)}`)
    yaml.line('    next: signed')
  }

  private inbound(yaml: YamlText, verify: InSettings): void {
    this.listener(yaml, 'verify', verify)
    yaml.line('    role: inbound', 'a relay of its own, with SPF, DMARC and ARC beside DKIM: "policy" says what follows from them')
    yaml.line('    trust: { xforward: [127.0.0.1, "::1"] }', "the client's address, as Postfix passes it on").line('    next: verified')
  }

  private policy(yaml: YamlText): void {
    const verify = this.in
    if (verify === undefined) return
    yaml.blank().line('policy:')
    yaml.line('  preset: observe', 'fields are added, nothing is refused')
    if (verify.rejectFail) yaml.line('  dmarc: honour', 'reject_fail: the policy is that of DMARC, and SPF counts as well; ADSP is historic')
    if (verify.rejectError) this.warnings.push('reject_error of dkimproxy.in has no counterpart: a signature that cannot be evaluated is a result like others')
  }

  /* --- keys --- */

  private signing(yaml: YamlText, out: OutSettings): void {
    const keys = [...this.listKeys(out), ...this.senderKeys(out), ...this.ownKeys(out)]
    yaml.blank().line('signing:')
    yaml.line(`  on_error: ${out.rejectError ? 'tempfail' : 'unsigned'}`, out.rejectError ? 'reject_error' : 'as without reject_error; tempfail is what Postern does by itself')
    const [method, ...others] = [...this.methods.keys()]
    if (method !== undefined) yaml.line(`  canonicalization: ${method}`, others.length > 0 ? `one for all signatures; there were also ${others.join(', ')}` : '')
    if (keys.length === 0) return void yaml.line('  keys: []', 'no signature could be taken over')
    yaml.line('  keys:', 'the address of From counts; DKIMproxy goes by Sender first')
    for (const { pairs, remark } of keys) yaml.line(`    - ${mapping(pairs)}`, remark)
    this.warnings.push('Postern refuses keys that others than root and its own user can read, and RSA keys below 2048 bits: "postern check" names them')
  }

  private ownKeys(out: OutSettings): readonly KeyLine[] {
    const nested = out.domains.some((one) => out.domains.some((other) => one.endsWith(`.${other}`)))
    return out.signatures.flatMap((said) => {
      const words = this.words(said.value, said)
      if (words === undefined) return []
      const own = words.parameters.get('domain')
      const domains = own === undefined ? out.domains : [own]
      if (domains.length === 0) this.warn({ place: said.place, text: 'names no domain' })
      return domains.map((domain) => this.key({
        out, words, domain, conditions: [['subdomains', 'true']],
        remark: domains.length === 1 ? `mail from ${domain} and below; DKIMproxy signs all mail with a domain that stands alone, whoever it is from` : nested ? 'all domains above the author\'s sign, not the nearest alone' : '',
      }))
    })
  }

  private senderKeys(out: OutSettings): readonly KeyLine[] {
    const entries = this.entries(out.senderMap)
    const keys = new Set(entries.map(({ key }) => key))
    return entries.flatMap((entry) => {
      if (entry.key === '.') return this.hopeless(out.senderMap, entry, 'there is no key for everybody')
      const address = entry.key.includes('@')
      const domain = entry.key.slice(entry.key.lastIndexOf('@') + 1)
      const above = [...lookUpKeys(entry.key)].slice(1).filter((key) => keys.has(key) && key !== '.')
      const also = above.length > 0 || out.signatures.length > 0 ? 'signs beside every other key that fits, not in place of them' : ''
      return this.mapped({ out, map: out.senderMap, entry }, (signing) => {
        const same = signing === domain && !address
        const pattern = address ? entry.key : `@${domain}`
        const conditions: KeyLine['pairs'] = same ? [['subdomains', 'true']] : [['senders', list([pattern])]]
        return { conditions, remark: [same || address ? '' : `only ${domain} itself; DKIMproxy takes what is below it too`, also].filter((part) => part !== '').join('; ') }
      })
    })
  }

  private listKeys(out: OutSettings): readonly KeyLine[] {
    return this.entries(out.listidMap).flatMap((entry) => {
      if (entry.key === '.') return this.hopeless(out.listidMap, entry, 'there is no key for every list')
      return this.mapped({ out, map: out.listidMap, entry }, () => ({ conditions: [['list_ids', list([entry.key, `.${entry.key}`])]], remark: 'signs beside every other key that fits, not in place of them' }))
    })
  }

  private entries(said: Said | undefined): readonly MapEntry[] {
    if (said === undefined) return []
    const text = this.context.readText(said.value)
    if (text === undefined) this.warn({ place: said.place, text: `${said.value} cannot be read; its keys are missing` })
    const { map, warnings } = readMap(text ?? '', said.value)
    for (const notice of warnings) this.warn(notice)
    return [...map.entries.values()]
  }

  private hopeless(said: Said | undefined, entry: MapEntry, why: string): readonly KeyLine[] {
    this.warn({ place: { file: said?.value, line: entry.line }, text: `${JSON.stringify(entry.key)} has no counterpart: ${why}` })
    return []
  }

  private mapped({ out, map, entry }: { readonly out: OutSettings; readonly map: Said | undefined; readonly entry: MapEntry }, narrow: (domain: string) => { readonly conditions: KeyLine['pairs']; readonly remark: string }): readonly KeyLine[] {
    const place = { file: map?.value, line: entry.line }
    return splitSignatures(entry.value).flatMap((text) => {
      const words = this.words(text, { value: text, place })
      if (words === undefined) return []
      const written = words.parameters.get('domain') ?? entry.key.slice(entry.key.lastIndexOf('@') + 1)
      const domain = /\$sender/.test(written) ? undefined : expandMacro(written, { sender: '', key: entry.key })
      if (domain === undefined) return this.hopeless(map, entry, `d=${written} is known at a message only`)
      return [this.key({ out, words, domain, ...narrow(domain) })]
    })
  }

  private words(text: string, { place }: Said): SignatureWords | undefined {
    const words = readSignature(text)
    if (typeof words === 'string') this.warn({ place, text: words })
    else if (words.type === 'domainkeys') this.warn({ place, text: 'DomainKeys has no counterpart: it is historic' })
    else {
      if (words.parameters.has('identity')) this.warn({ place, text: 'i= has no counterpart: signatures have none' })
      return words
    }
    return undefined
  }

  private key({ out, words, domain, conditions, remark }: { readonly out: OutSettings; readonly words: SignatureWords; readonly domain: string; readonly conditions: KeyLine['pairs']; readonly remark: string }): KeyLine {
    const method = readMethod(words.parameters.get('method') ?? out.method?.value ?? 'relaxed') ?? { header: 'relaxed', body: 'simple' }
    this.methods.set(`${method.header}/${method.body}`, domain)
    const keyfile = words.parameters.get('keyfile') ?? out.keyfile?.value
    const selector = words.parameters.get('selector') ?? out.selector?.value
    if (keyfile === undefined || selector === undefined) this.warnings.push(`no ${keyfile === undefined ? 'keyfile' : 'selector'} is known for ${domain}; it stands as CHANGE-THIS`)
    return { pairs: [['domain', scalar(domain)], ['selector', scalar(selector ?? 'CHANGE-THIS')], ['key', scalar(keyfile ?? 'CHANGE-THIS')], ...conditions], remark }
  }
}

function address({ host, port }: HostPort): string {
  return JSON.stringify(`${host.includes(':') ? `[${host}]` : host}:${port}`)
}
