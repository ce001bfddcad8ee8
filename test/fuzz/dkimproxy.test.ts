/** Fuzzing of what DKIMproxy and OpenDKIM are configured with: nothing throws, and what an import writes is YAML whatever stands in the files. */
import assert from 'node:assert/strict'
import { parse } from 'yaml'
import { describeNotice, readCommandLine, readConfFile } from '../../src/dkimproxy/given.ts'
import { importDkimproxy } from '../../src/dkimproxy/import-dkimproxy.ts'
import { importOpenDkim } from '../../src/dkimproxy/import-opendkim.ts'
import { lookUp, readMap } from '../../src/dkimproxy/map-file.ts'
import { settleIn, settleOut } from '../../src/dkimproxy/settings.ts'
import { expandMacro, readSignature, splitSignatures } from '../../src/dkimproxy/signature-words.ts'
import { fuzz, type Random } from '../support/fuzzing.ts'

const WORDS = ['listen ', 'relay ', 'domain ', 'keyfile ', 'selector ', 'signature ', 'sender_map m', 'listid_map l', 'hostname ', 'reject-error', 'allow ', 'cidr_allow ', 'method ', '127.0.0.1:1', '[::1]:2', 'a.example', 'b.example,c.example',
  'dkim', '(c=relaxed,s=x)', 'domainkeys', '# x', '\\#', '%20', '%zz', '=', ': ', ' ', '\n', '\r\n', '\t', '$keydomain', '"', "'", '{', '}', '[', ']', '&x', '*y', '!t', '- ', '1', 'yes', '\x00', '\x1b[31m', '\x85', '\xa0', '10.0.0.0/8', '.']
const OPENDKIM = ['Domain ', 'Selector ', 'KeyFile ', 'KeyTable ', 'SigningTable ', 'Canonicalization ', 'Mode ', 'InternalHosts ', 'OversignHeaders ', 'SignHeaders ', 'SignatureTTL ', 'AuthservID ', 'Nameservers ', 'SubDomains ', 'Socket ', 'file:', 'refile:', '/x', '*.a', ',', ...WORDS]

function base(random: Random): string {
  return random.chance(0.7) ? 'listen 127.0.0.1:1\nrelay 127.0.0.1:2\ndomain a.example\nkeyfile /k\nselector s\n' : ''
}

fuzz('configuration files and command lines of DKIMproxy', 3000, (random) => {
  const text = base(random) + random.soup(WORDS, 40)
  for (const program of ['dkimproxy.out', 'dkimproxy.in'] as const) {
    const reading = readConfFile(text, 'f', program)
    const line = readCommandLine(text.split(/\s+/).slice(0, 6).map((word) => (random.chance(0.5) ? `--${word}` : word)), program)
    const settled = program === 'dkimproxy.out' ? settleOut(reading, line) : settleIn(reading, line)
    if (settled.status === 'wrong') assert.ok(settled.errors.length > 0)
    for (const notice of [...reading.warnings, ...line.errors, ...settled.warnings]) assert.doesNotMatch(describeNotice(notice), /[\x00-\x1f\x7f-\x9f]/)
  }
})

fuzz('maps, signatures and macros', 3000, (random) => {
  const text = random.soup(WORDS, 40)
  const { map } = readMap(text, 'm')
  lookUp(map, random.soup(['a', '+', '@', '.', 'B.example', ' '], 8))
  for (const part of splitSignatures(text)) readSignature(part)
  expandMacro(random.soup(['$', '$$', '$sender', '$keydomain', 'x', '.'], 6), { sender: 'a@b.example', key: random.pick(['', '.', 'b.example']) })
})

fuzz('what an import writes is YAML', 1500, (random) => {
  const context = { hostname: 'host.example', readText: () => (random.chance(0.8) ? random.soup(WORDS, 20) : undefined) }
  const one = importDkimproxy([{ path: 'f', text: base(random) + random.soup(WORDS, 30) }], context)
  const other = importOpenDkim([{ path: 'f', text: random.soup(OPENDKIM, 30) }], context)
  for (const imported of [one, other]) {
    if (imported.status === 'wrong') continue
    const read: unknown = parse(imported.yaml)
    assert.ok(typeof read === 'object' && read !== null && 'listeners' in read && 'hops' in read, imported.yaml)
    assert.deepEqual(Object.keys(read).filter((key) => !['hostname', 'state', 'dns', 'domains', 'listeners', 'hops', 'policy', 'signing'].includes(key)), [], imported.yaml)
  }
})
