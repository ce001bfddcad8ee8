/** The text of messages: decoder and encoder against a plain reading of the RFC, and each against the other. */
import assert from 'node:assert/strict'
import { ReceivedCounter } from '../../src/message/received.ts'
import { createLineEndConverter } from '../../src/delivery/line-ends.ts'
import { DataDecoder } from '../../src/smtp/data-decoder.ts'
import { DataEncoder, isFault } from '../../src/smtp/data-encoder.ts'
import { fuzz, type Random } from '../support/fuzzing.ts'

const WORDS = ['\r\n', '\r\n', '\r\n.\r\n', '.\r\n', '.', '..', '\r', '\n', '\0', '\r\n.\r', '\n.\n', '\r.\r', 'a', 'text', 'x'.repeat(70), '\xff', '\x0b', '\t', 'Received: x\r\n', 'received :']

function text(random: Random): Buffer {
  return Buffer.from(random.chance(0.2) ? random.bytes(200) : random.soup(WORDS, 30), 'latin1')
}

interface Decoded {
  readonly out: string
  readonly ended: boolean
  readonly used: number
  readonly bareCr: number
  readonly bareLf: number
  readonly nul: number
}

/** What RFC 5321 §4.5.2 says, as slowly as one can say it: by lines that end in true CR LF. */
function plainReading(wire: string, dots: boolean): Decoded {
  let out = ''
  let counts = { bareCr: 0, bareLf: 0, nul: 0 }
  let used = 0
  for (;;) {
    const end = wire.indexOf('\r\n', used)
    const line = end < 0 ? wire.slice(used) : wire.slice(used, end)
    if (dots && end >= 0 && line === '.') return { out, ended: true, used: end + 2, ...counts }
    const stripped = dots && line.startsWith('.') ? line.slice(1) : line
    counts = {
      bareCr: counts.bareCr + (stripped.match(/\r/g)?.length ?? 0),
      bareLf: counts.bareLf + (stripped.match(/\n/g)?.length ?? 0),
      nul: counts.nul + (stripped.match(/\0/g)?.length ?? 0),
    }
    out += stripped.replace(/\0/g, '').replace(/[\r\n]/g, '\r\n')
    if (end < 0) return { out, ended: false, used: wire.length, ...counts }
    out += '\r\n'
    used = end + 2
  }
}

function decode(pieces: readonly Buffer[], dots: boolean): Decoded {
  const decoder = new DataDecoder(dots)
  let out = ''
  let used = 0
  for (const piece of pieces) {
    out += decoder.decode(piece).toString('latin1')
    used += decoder.consumed
    if (decoder.ended) break
  }
  if (!dots) out += decoder.finish().toString('latin1')
  const { ended, bareCr, bareLf, nul } = decoder
  return { out, ended, used, bareCr, bareLf, nul }
}

function hasOnlyCrLf(out: string): boolean {
  return !/\0|\r(?!\n)|(?<!\r)\n/.test(out)
}

fuzz('decoder', 60_000, (random) => {
  const bytes = text(random)
  for (const dots of [true, false]) {
    const whole = decode([bytes], dots)
    assert.deepEqual(decode(random.pieces(bytes), dots), whole, 'the same in pieces')
    // Without its end, DATA may hold back what it cannot judge yet; BDAT never does.
    if (whole.ended || !dots) {
      assert.deepEqual(whole, plainReading(bytes.toString('latin1'), dots))
      assert.ok(hasOnlyCrLf(whole.out))
    }
    assert.equal(whole.ended, plainReading(bytes.toString('latin1'), dots).ended)
  }
})

fuzz('encoder', 40_000, (random) => {
  const bytes = text(random)
  for (const form of ['data', 'bdat'] as const) {
    const encoder = new DataEncoder(form)
    let out = ''
    let fault = false
    for (const piece of [...random.pieces(bytes), null]) {
      const result = piece === null ? encoder.finish() : encoder.encode(piece)
      fault = isFault(result)
      if (isFault(result)) {
        assert.ok(result.offset >= 0 && result.offset < bytes.length)
        assert.ok(['\r', '\n', '\0'].includes(String.fromCharCode(bytes[result.offset] as number)))
        break
      }
      out += result.toString('latin1')
    }
    assert.equal(fault, !hasOnlyCrLf(bytes.toString('latin1')), 'a fault where there is one, and only there')
    // A piece that was given out before the fault may end in no half line end.
    assert.doesNotMatch(out, /\0|\r[^\n]|(?<!\r)\n/)
    if (!fault && form === 'bdat') assert.equal(out, bytes.toString('latin1'))
  }
})

fuzz('round trip', 40_000, (random) => {
  const first = decode([Buffer.concat([text(random), Buffer.from('\r\n.\r\n')])], true)
  assert.ok(first.ended && hasOnlyCrLf(first.out))
  const encoder = new DataEncoder('data')
  const sent: Buffer[] = []
  for (const piece of random.pieces(Buffer.from(first.out, 'latin1'))) {
    const result = encoder.encode(piece)
    assert.ok(!isFault(result), 'what the decoder gives, the encoder takes')
    sent.push(result)
  }
  const end = encoder.finish()
  assert.ok(!isFault(end))
  const wire = Buffer.concat([...sent, end])
  const whole = first.out === '' || first.out.endsWith('\r\n') ? first.out : `${first.out}\r\n`
  const second = decode(random.pieces(Buffer.concat([wire, Buffer.from('MAIL FROM:<smuggled@client.example>\r\n')])), true)
  assert.deepEqual([second.out, second.ended, second.used, second.bareCr, second.bareLf, second.nul], [whole, true, wire.length, 0, 0, 0])
  // To a reader that knows other ends, too, there is one end only.
  assert.deepEqual([...wire.toString('latin1').matchAll(/(?:^|\r\n|\r|\n)\.(?:\r\n|\r|\n)/g)].map((match) => match.index + match[0].length), [wire.length])
})

fuzz('Received fields', 30_000, (random) => {
  const bytes = Buffer.from(random.soup(['Received:', 'received', ' ', ':', '\t', '\r\n', '\r\n', 'Subject: ', 'x', 'Received-SPF:', '\r\nReceived :'], 20, 0), 'latin1')
  const header = `${bytes.toString('latin1')}\r\n\r\n`.replace(/^\r\n[\s\S]*/, '').split('\r\n\r\n')[0] ?? ''
  const expected = header.split('\r\n').filter((line) => /^received[ \t]*:/i.test(line)).length
  const counter = new ReceivedCounter()
  for (const piece of random.pieces(bytes)) counter.feed(piece)
  assert.equal(counter.count, expected)
})

fuzz('line ends of a Maildir', 30_000, (random) => {
  const bytes = text(random)
  const converter = createLineEndConverter()
  const out = [...random.pieces(bytes).map((piece) => converter.push(piece)), converter.end()]
  assert.equal(Buffer.concat(out).toString('latin1'), bytes.toString('latin1').replaceAll('\r\n', '\n'))
})
