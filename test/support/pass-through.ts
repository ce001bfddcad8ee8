/**
 * Sends samples through the gateway into each kind of hop and compares what
 * arrives, byte for byte, by SHA-256.
 *
 * Into sinks and the bundled Maildir: in = out, less the fields on top.
 *
 * Into the real programs each sample goes three times: straight to the hop,
 * through the gateway without its Received field, and through it with the
 * field. The first two must leave the same in the mailbox whatever the hop did
 * to it; and where the hop leaves messages alone that is what was sent. Where it
 * does not, `edits` says why, and the exception itself is checked: a hop that
 * stops to edit makes the test fail.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { CaptureSink, EVERY_EXTENSION, WITHOUT_CHUNKING } from './capture-sink.ts'
import { startGateway, type Gateway } from './gateway.ts'
import type { Sample } from './mail-samples.ts'
import { EVERY_HOP, ownName, type HopKind } from './peers/every-hop.ts'
import type { Hop } from './peers/hop.ts'
import { Mailbox } from './peers/mailbox.ts'
import { missing } from './peers/programs.ts'
import { temporaryDirectory, type Address } from './process.ts'
import { Dialog, type DialogReply } from './smtp-dialog.ts'
import { sha256, takeReceived, toCrlf, withoutTop } from './trace-fields.ts'

/** Messages on one connection: fewer than any hop refuses to take (OpenSMTPD: 100). */
const PER_CONNECTION = 80

interface Sending {
  readonly address: Address
  readonly samples: readonly Sample[]
  readonly recipient: (index: number) => string
  readonly lmtp?: boolean
  readonly chunked?: boolean
  /** send what the gateway would make of it */
  readonly clean?: boolean
}

/** The final replies, in order. */
async function sendAll(sending: Sending): Promise<DialogReply[]> {
  const replies: DialogReply[] = []
  for (let first = 0; first < sending.samples.length; first += PER_CONNECTION) {
    const dialog = await Dialog.open(sending.address)
    await dialog.hello('client.example', sending.lmtp === true ? 'LHLO' : 'EHLO')
    for (const [offset, sample] of sending.samples.slice(first, first + PER_CONNECTION).entries()) {
      const data = sending.clean === true ? sample.expected : sample.sent
      const reply = await dialog.message({ to: sending.recipient(first + offset), data, chunked: sending.chunked === true })
      // A refusal may have come at any step.
      if (reply.status !== 250) await dialog.command('RSET', 250)
      replies.push(reply)
    }
    await dialog.quit()
  }
  return replies
}

function same(actual: Buffer, expected: Buffer, name: string): void {
  if (sha256(actual) === sha256(expected)) return
  // The hashes say that they differ; the text says where.
  assert.equal(actual.toString('latin1'), expected.toString('latin1'), name)
}

/* --- sinks --- */

const SINKS = [
  { name: 'a sink, DATA in and DATA out', protocol: 'smtp', extensions: WITHOUT_CHUNKING, chunked: false },
  { name: 'a sink, BDAT in and BDAT out', protocol: 'smtp', extensions: EVERY_EXTENSION, chunked: true },
  { name: 'a sink, BDAT in and DATA out', protocol: 'smtp', extensions: WITHOUT_CHUNKING, chunked: true },
  { name: 'an LMTP sink', protocol: 'lmtp', extensions: WITHOUT_CHUNKING, chunked: false },
] as const

export function passThroughSinks(samples: readonly Sample[]): void {
  for (const { name, protocol, extensions, chunked } of SINKS) {
    test(`${samples.length} messages into ${name}`, async () => {
      const sink = await CaptureSink.start({ protocol, extensions })
      const gateway = await startGateway({ listeners: [{ name: 'with', next: 'hop' }, { name: 'bare', next: 'hop', received: false }], hops: { hop: { [protocol]: sink.target } } })
      try {
        for (const listener of ['with', 'bare']) {
          const replies = await sendAll({ address: gateway.address(listener), samples, recipient: (i) => `r${i}@hop.example`, chunked })
          assert.deepEqual(replies.filter((reply) => reply.status !== 250), [])
          const messages = sink.take()
          assert.equal(messages.length, samples.length)
          for (const [i, sample] of samples.entries()) {
            const message = messages[i]!
            assert.deepEqual(message.rcpts, [`<r${i}@hop.example>`])
            same(listener === 'with' ? takeReceived(message.data).rest : message.data, sample.expected, sample.name)
            assert.equal(message.chunked, chunked && extensions === EVERY_EXTENSION)
          }
        }
      } finally {
        await gateway.stop()
        await sink.stop()
      }
    })
  }

  test(`${samples.length} messages into the bundled Maildir`, async () => {
    const mail = temporaryDirectory('mail')
    const gateway = await startGateway({ listeners: [{ name: 'with', next: 'hop' }], hops: { hop: { maildir: `${mail}/{domain}/{local}` } } })
    try {
      const replies = await sendAll({ address: gateway.address(), samples, recipient: (i) => `r${i}@hop.example` })
      assert.deepEqual(replies.filter((reply) => reply.status !== 250), [])
      for (const [i, sample] of samples.entries()) {
        const stored = new Mailbox(join(mail, 'hop.example', `r${i}`)).read()
        assert.equal(stored.length, 1, sample.name)
        same(takeReceived(withoutTop(toCrlf(stored[0]!), ['Return-Path', 'Delivered-To'])).rest, sample.expected, sample.name)
      }
    } finally {
      await gateway.stop()
    }
  })
}

/* --- real programs --- */

/** What hops do to messages of their own accord; the reason, or null where they leave a message alone. */
function edits(kind: HopKind, sample: Sample): string | null {
  const text = sample.expected.toString('latin1')
  const header = text.split('\r\n\r\n')[0] ?? ''
  const beginsWithField = /^[!-9;-~]+[ \t]*:/.test(text)
  switch (kind.name) {
    case 'Postfix':
      if (text.startsWith('From ') || text.startsWith('>From ')) return 'smtpd(8) makes an mbox line on top an X-Mailbox-Line field'
      if (!beginsWithField && text !== '\r\n') return 'cleanup(8) puts an empty line where the header section has none'
      if (/^[!-9;-~]+[ \t]+:/m.test(header)) return 'cleanup(8) takes out blanks before a colon'
      return null
    case 'Exim':
      if (!beginsWithField && text !== '\r\n') return 'Exim puts an empty line behind a header section that has none'
      if (!text.includes('\r\n\r\n') && text !== '\r\n') return 'Exim ends a header section that no empty line ends'
      return null
    case 'OpenSMTPD':
      // What it adds is taken off by `hopFieldsOff`.
      if (/^(?:From|To|Cc):(?=[^\r\n]*[A-Za-z])[^@:\r\n]*\r\n(?![ \t])/im.test(`${header}\r\n`)) return 'OpenSMTPD puts its name behind addresses without a domain'
      return null
    default:
      // Dovecot leaves messages alone.
      return null
  }
}

/** Takes off what the hop put on top, and what OpenSMTPD adds at the end of a header section: Date and Message-ID where they are missing. */
function hopFieldsOff(kind: HopKind, stored: Buffer, sample: Sample): Buffer {
  const rest = takeReceived(withoutTop(toCrlf(stored), kind.tops), ownName(kind)).rest
  if (kind.name !== 'OpenSMTPD') return rest
  const header = sample.expected.toString('latin1').split('\r\n\r\n')[0] ?? ''
  let text = rest.toString('latin1').replace(/^Message-ID: <[0-9a-f]+@opensmtpd\.example>\r\n/m, '')
  if (!/^date[ \t]*:/im.test(header)) text = text.replace(/^Date: [^\r\n]* \(UTC\)\r\n/m, '')
  return Buffer.from(text, 'latin1')
}

const WAYS = ['direct', 'bare', 'with'] as const

export function passThroughHops(samples: readonly Sample[]): void {
  for (const kind of EVERY_HOP) {
    describe(`${samples.length} messages into ${kind.name}`, { skip: missing(...kind.needs) }, () => {
      let hop: Hop
      let gateway: Gateway | undefined
      const replies = new Map<string, DialogReply[]>()
      before(async () => {
        hop = await kind.start(samples.flatMap((_, i) => WAYS.map((way) => `${way}${i}`)))
        const running = await startGateway({ listeners: [{ name: 'with', next: 'hop' }, { name: 'bare', next: 'hop', received: false }], hops: { hop: { [kind.kind]: hop.target } } })
        gateway = running
        for (const way of WAYS) {
          const straight = way === 'direct'
          const address = straight ? hop.address : running.address(way)
          replies.set(way, await sendAll({ address, samples, recipient: (i) => `${way}${i}@hop.example`, lmtp: straight && kind.kind === 'lmtp', clean: straight }))
        }
      })
      after(async () => {
        await gateway?.stop()
        await hop.stop()
      })

      const stored = async (way: string, i: number): Promise<Buffer> => {
        const [data, ...more] = await hop.mailbox(`${way}${i}`).waitFor(1, { detail: () => hop.log().slice(-4000) })
        assert.equal(more.length, 0, `${samples[i]!.name} is there once`)
        return hopFieldsOff(kind, data!, samples[i]!)
      }
      const taken = (i: number): boolean => replies.get('direct')![i]!.status === 250

      test('the hop answers through the gateway as it answers directly', () => {
        for (const [i, sample] of samples.entries()) {
          const [direct, bare] = [replies.get('direct')![i]!, replies.get('bare')![i]!]
          assert.equal(bare.status, direct.status, `${sample.name}: ${bare.text}`)
          if (direct.status !== 250) assert.equal(bare.text, direct.text, sample.name)
        }
        const refused = samples.filter((_, i) => !taken(i)).length
        assert.ok(refused * 20 < samples.length, `the hop refuses ${refused} messages`)
      })

      test('it stores what it stores when it is sent to directly', async () => {
        for (const [i, sample] of samples.entries()) {
          if (taken(i)) same(await stored('bare', i), await stored('direct', i), sample.name)
        }
      })

      test('what it leaves alone is what was sent', async () => {
        for (const [i, sample] of samples.entries()) {
          if (!taken(i)) continue
          const direct = await stored('direct', i)
          const reason = edits(kind, sample)
          if (reason === null) {
            same(direct, sample.expected, sample.name)
            same(takeReceived(await stored('with', i)).rest, sample.expected, sample.name)
          } else assert.notEqual(sha256(direct), sha256(sample.expected), `${sample.name}: it is not true any more that ${reason}`)
        }
      })
    })
  }
}
