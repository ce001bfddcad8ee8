/** What strangers' links and addresses make of questions to lists: always names, never too many, never too long, and nothing throws. */
import assert from 'node:assert/strict'
import { MAX_NAME_CHARACTERS, normalName } from '../../src/dns/name.ts'
import { authenticatedAuthor } from '../../src/reputation/authenticated-author.ts'
import { whyNoCorrespondence } from '../../src/reputation/correspondents.ts'
import { canonicalAddress } from '../../src/reputation/uri-hash.ts'
import { inOrder, questionsOf, skipping, type UriLink } from '../../src/reputation/uri-questions.ts'
import { URI_SKIPPED, type UriListZone } from '../../src/reputation/uri-settings.ts'
import { fuzz, type Random } from '../support/fuzzing.ts'

const WORDS = ['a', 'www', '.', '.', '..', 'com', 'co.uk', 'xn--bcher-kva', 'x'.repeat(64), '_', '-', '192.0.2.1', '2001:db8::1', '[', ']', ':', '//', '/', '\\', '?', '#', '@', '%41', '%', '%ff', 'mailto:', 'https://', ',', '+', ' ', '\0', '\r\n', '\u00fc', '\u{1f600}', '\ud800', 'gmail.com', '0x7f.1', 'TEST']
const ZONES: readonly UriListZone[] = [
  { zone: 'l.example', kind: 'domain', ask: 'both', addresses: true, weight: 1 },
  { zone: 'l.example', kind: 'address', ipv6: true, weight: 1 },
  ...(['email', 'url', 'domain'] as const).map((of): UriListZone => ({ zone: 'l.example', kind: 'hash', of, algorithm: 'sha256', encoding: 'base32', url: { lowerCase: true }, weight: 1, test: { listed: 'a@b.example' } })),
]

function link(random: Random): UriLink {
  const host = random.soup(WORDS, 8)
  return {
    kind: random.pick(['href', 'image', 'form', 'other', 'text']), scheme: random.pick(['http', 'https', 'mailto', 'javascript', '']), url: random.pick([`https://${host}/`, '', 'mailto:']) + random.soup(WORDS, 10),
    host, domain: random.chance(0.3) ? '' : random.soup(WORDS, 4), port: random.chance(0.8) ? undefined : random.below(65_536), address: random.chance(0.3), hidden: random.chance(0.3), shown: random.soup(WORDS, 3),
  }
}

fuzz('questions to lists', 3000, (random) => {
  const subject = { links: Array.from({ length: random.below(30) }, () => link(random)), addresses: Array.from({ length: random.below(5) }, () => random.soup(WORDS, 8)) }
  const ordered = inOrder(subject, skipping(URI_SKIPPED))
  const room = MAX_NAME_CHARACTERS - 1 - random.pick([9, 150])
  for (const zone of ZONES) {
    const { questions, unasked } = questionsOf(zone, ordered, { most: 10, room })
    assert.ok(questions.length <= 10 && unasked >= 0)
    assert.equal(new Set(questions.map(({ labels }) => labels)).size, questions.length)
    for (const { labels, item } of questions) {
      assert.ok(labels.length <= room)
      assert.equal(normalName(labels), labels, JSON.stringify([zone.kind, labels]))
      assert.ok(item !== '')
    }
  }
  for (const address of subject.addresses) {
    const once = canonicalAddress(address)
    if (once !== undefined) assert.equal(canonicalAddress(once), once)
    authenticatedAuthor({ from: [address], dmarc: random.pick([{ status: 'pass', domain: address.slice(address.lastIndexOf('@') + 1) }, { status: 'none', domain: '' }, undefined]), dkim: subject.links.map(({ host }) => host), spf: address })
    whyNoCorrespondence({ sender: address, recipients: subject.addresses, field: () => random.soup(WORDS, 20) })
  }
})
