/**
 * The table of who comes with what, and what becomes of it under the preset
 * `standard`; the same for each hop behind Postern.
 *
 * Each letter has the name of its row in `X-Row`, so that what arrives can be
 * told apart and what must not arrive is missed for certain: it is looked for
 * after everything that was sent later has come.
 */
import assert from 'node:assert/strict'
import type { Mail, Sent, Stage } from './policy-stage.ts'
import { CLIENT } from './policy-zone.ts'

export interface Row {
  readonly name: string
  readonly client: string
  readonly from?: string
  /** the author; that of sender.example otherwise */
  readonly author?: string
  readonly reply: RegExp
  readonly becomes: 'delivered' | 'refused' | 'disconnected' | 'quarantined'
  /** of what is delivered or kept: fields that are there, and fields that are not */
  readonly has?: readonly RegExp[]
  readonly lacks?: readonly RegExp[]
}

const AUTHENTICATION = /^Authentication-Results: gateway\.example;/m

export const TABLE: readonly Row[] = [
  { name: 'no PTR', client: CLIENT.noPtr, becomes: 'disconnected', reply: /^550 5\.7\.25 Your address 192\.0\.2\.8 has no name: let its provider add a PTR record, or send through a relay that has one \(\w{10}\)$/ },
  { name: 'no PTR of IPv6', client: '2001:db8:8::25', becomes: 'disconnected', reply: /^550 5\.7\.25 Your address 2001:db8:8::25 has no name/ },
  { name: 'PTR without forward', client: CLIENT.noForward, becomes: 'disconnected', reply: /^550 5\.7\.25 Your address 192\.0\.2\.9 is called lost\.sender\.example, which does not lead back to it/ },
  { name: 'PTR whose forward is another', client: CLIENT.otherForward, becomes: 'disconnected', reply: /^550 5\.7\.25 Your address 192\.0\.2\.10 is called other\.sender\.example, which does not lead back to it/ },
  {
    name: 'clean', client: CLIENT.clean, becomes: 'delivered', reply: /^250 /,
    has: [
      /^Authentication-Results: gateway\.example;\r\n iprev=pass \(mail\.sender\.example\) policy\.iprev=192\.0\.2\.7;\r\n spf=pass smtp\.mailfrom=anna@sender\.example;\r\n dkim=none;\r\n dmarc=none header\.from=sender\.example\r\n/m,
      /^Received-SPF: pass receiver=gateway\.example; identity=mailfrom;\r\n client-ip=192\.0\.2\.7;/m,
      /^X-Spam-Status: No, score=0\.0 required=5\.0 tests=none\r$/m,
    ],
    lacks: [/^X-Warning/m, /^X-Spam-Flag/m],
  },
  { name: 'clean over IPv6', client: CLIENT.six, becomes: 'delivered', reply: /^250 /, has: [/iprev=pass \(mail\.sender\.example\) policy\.iprev="?2001:db8:7::25"?;/, /spf=pass/], lacks: [/^X-Warning/m] },
  {
    name: 'listed', client: CLIENT.listed, becomes: 'delivered', reply: /^250 /,
    has: [/^X-Warning: 192\.0\.2\.20 is in a black list at bl\.example\r$/m, /^X-Spam-Score: 3\.0\r$/m, AUTHENTICATION, /spf=pass/],
    lacks: [/^X-Warning: .*(?:blocked|world)/m, /^X-Spam-Flag/m],
  },
  {
    name: 'SPF fail', client: CLIENT.relay, becomes: 'delivered', reply: /^250 /,
    has: [/^X-Warning: 192\.0\.2\.30 is not allowed to send mail from sender\.example\r$/m, /spf=fail smtp\.mailfrom=anna@sender\.example;/, /^Received-SPF: fail /m],
    lacks: [/black list/],
  },
  {
    name: 'listed, from a pool, and SPF fail', client: CLIENT.pooled, becomes: 'delivered', reply: /^250 /,
    has: [
      /^X-Warning: 192\.0\.2\.21 is in a black list at bl\.example\r\nX-Warning: 192\.0\.2\.21 is not allowed to send mail from sender\.example\r$/m,
      /^X-Spam-Flag: YES\r\nX-Spam-Score: 7\.0\r\nX-Spam-Level: \*{7}\r\nX-Spam-Status: Yes, score=7\.0 required=5\.0\r?\n? ?tests=GENERIC_NAME,DNSBL_LISTED_AT_BL_EXAMPLE,SPF/m,
    ],
  },
  { name: 'forged sender of a domain that says reject', client: CLIENT.relay, from: 'post@relay.example', author: 'Bank <service@bank.example>', becomes: 'refused', reply: /^550 5\.7\.1 Mail from bank\.example needs SPF or DKIM of that domain, and this has neither \(DMARC, policy reject\) \(\w{10}\)$/ },
  { name: 'forged in both, envelope and From', client: CLIENT.relay, from: 'service@bank.example', author: 'Bank <service@bank.example>', becomes: 'refused', reply: /^550 5\.7\.1 / },
  { name: 'forged sender of a domain that says quarantine', client: CLIENT.relay, from: 'post@relay.example', author: 'Shop <sales@shop.example>', becomes: 'quarantined', reply: /^250 2\.0\.0 Message taken \(\w{10}\)$/, has: [/dmarc=fail \(p=quarantine\) header\.from=shop\.example/] },
  { name: 'the null sender', client: CLIENT.clean, from: '', becomes: 'delivered', reply: /^250 /, has: [/spf=none smtp\.helo=mail\.sender\.example;/], lacks: [/^X-Warning/m] },
]

export function letterOf(row: Row): string {
  return [
    `From: ${row.author ?? 'Anna <anna@sender.example>'}`, 'To: alice@hop.example', 'Date: Sat, 21 Nov 2026 10:00:00 +0000', 'Message-ID: <1@sender.example>', `X-Row: ${row.name}`,
    // Somebody claims to be us; another speaks for himself.
    'Authentication-Results: gateway.example; spf=pass smtp.mailfrom=bank.example', 'Authentication-Results: elsewhere.example; dkim=pass header.d=sender.example',
    'Subject: Hello', '', 'One line.', '.', '..two dots', 'blank at the end ', 'caf\xe9', '',
  ].join('\r\n')
}

/** What must arrive under the fields on top: the letter without the field that claimed to be ours. */
export function arrivingOf(row: Row): string {
  return letterOf(row).replace(/^Authentication-Results: gateway\.example[^\n]*\n/m, '')
}

/** Sends one row and checks what the client is told. */
export async function sendRow(stage: Stage, row: Row, mail: Mail = {}): Promise<Sent> {
  const sent = await stage.swaks(row.client, { ...mail, from: row.from ?? 'anna@sender.example', data: letterOf(row) })
  assert.match(sent.last, row.reply, sent.output)
  if (row.becomes === 'disconnected') {
    assert.equal(sent.replies.length, 1, sent.output)
    assert.match(sent.output, /-> QUIT\n\*\*\* Remote host closed connection/)
  }
  return sent
}

/** A message as it was found, with CRLF, under fields that others have put on top of it. */
export function checkFields(row: Row, message: string): void {
  const head = message.slice(0, message.indexOf('\r\n\r\n') + 2)
  for (const field of row.has ?? []) assert.match(head, field)
  for (const field of row.lacks ?? []) assert.doesNotMatch(head, field)
  assert.equal(head.match(/^Authentication-Results: gateway\.example;/gm)?.length, 1, head)
  assert.ok(message.endsWith(arrivingOf(row)), `not as it was sent: ${message}`)
}

/** The messages by the row they are of; an Error where one came twice. */
export function byRow(messages: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const message of messages) {
    const name = /^X-Row: (.*)\r$/m.exec(message)?.[1] ?? ''
    if (found.has(name)) throw new Error(`twice: ${name}`)
    found.set(name, message)
  }
  return found
}
