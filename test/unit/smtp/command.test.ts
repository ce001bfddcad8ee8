import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCommand, type Command } from '../../../src/smtp/command.ts'
import { formatReply } from '../../../src/smtp/reply.ts'

function summary(command: Command): string {
  switch (command.verb) {
    case 'MAIL':
    case 'RCPT':
      return [command.verb, command.envelope.path.wire, ...command.envelope.parameters.map((p) => `${p.keyword}=${p.value ?? '(none)'}`)].join(' ')
    case 'HELO':
    case 'EHLO':
    case 'LHLO':
      return `${command.verb} ${command.name}`
    case 'AUTH':
      return `AUTH ${command.mechanism} ${command.initial}`
    case 'BDAT':
      return `BDAT ${command.octets}${command.last ? ' last' : ''}`
    case 'XCLIENT':
    case 'XFORWARD':
      return `${command.verb} ${command.attributes}`
    case 'malformed':
      return `${command.fatal ? 'fatal' : 'malformed'} ${formatReply(command.reply).slice(0, 9)}`
    default:
      return command.verb
  }
}

const CASES: readonly (readonly [line: string, expected: string])[] = [
  ['EHLO a.example', 'EHLO a.example'],
  ['ehlo  [192.0.2.1] ', 'EHLO [192.0.2.1]'],
  ['HELO', 'malformed 501 5.5.4'],
  ['EHLO h\xf6st', 'malformed 501 5.5.4'],
  [`EHLO ${'x'.repeat(255)}`, `EHLO ${'x'.repeat(255)}`],
  [`EHLO ${'x'.repeat(256)}`, 'malformed 501 5.5.4'],
  ['MAIL FROM:<a@b.example>', 'MAIL <a@b.example>'],
  ['MAIL FROM:<a@b.example>   SIZE=1   BODY=7BIT  ', 'MAIL <a@b.example> SIZE=1 BODY=7BIT'],
  ['MAIL FROM:<a@b.example> X=a=b', 'MAIL <a@b.example> X=a=b'],
  ['MAIL FROM:<a@b.example> X=', 'MAIL <a@b.example> X='],
  ['MAIL FROM:<a@b.example> smtputf8', 'MAIL <a@b.example> SMTPUTF8=(none)'],
  ['MAIL FROM:<a@b.example> X=1 x=2', 'malformed 501 5.5.4'],
  ['MAIL FROM:<a@b.example> -X', 'malformed 501 5.5.4'],
  ['MAIL FROM <a@b.example>', 'malformed 501 5.5.4'],
  ['MAIL FROM:a b', 'malformed 501 5.1.7'],
  ['RCPT TO:<>', 'malformed 501 5.1.3'],
  ['RCPT TO:<postmaster>', 'RCPT <postmaster>'],
  ['DATA ', 'DATA'],
  ['DATA x', 'malformed 501 5.5.4'],
  ['RSET x', 'malformed 501 5.5.4'],
  ['NOOP x', 'NOOP'],
  ['HELP MAIL', 'HELP'],
  ['VRFY', 'malformed 501 5.5.4'],
  ['VRFY a', 'VRFY'],
  ['EXPN', 'EXPN'],
  ['BDAT 0', 'BDAT 0'],
  ['BDAT 007 LAST', 'BDAT 7 last'],
  ['bdat 12  last ', 'BDAT 12 last'],
  ['BDAT 999999999999999', 'BDAT 999999999999999'],
  ['BDAT 1000000000000000', 'fatal 501 5.5.4'],
  ['BDAT 1 LAST x', 'fatal 501 5.5.4'],
  ['BDAT +1', 'fatal 501 5.5.4'],
  ['BDAT 1.5', 'fatal 501 5.5.4'],
  ['BDAT 0x10', 'fatal 501 5.5.4'],
  ['BDAT 1\tLAST', 'fatal 501 5.5.4'],
  ['BDAT', 'fatal 501 5.5.4'],
  ['XCLIENT ADDR=1', 'XCLIENT ADDR=1'],
  ['XFORWARD', 'XFORWARD '],
  ['STARTTLS', 'STARTTLS'],
  ['QUIT', 'QUIT'],
  ['', 'unknown'],
  [' ', 'unknown'],
  ['DATA\t', 'unknown'],
  ['MAİL FROM:<a@b.example>', 'unknown'],
  ['auth plain', 'AUTH PLAIN null'],
  ['AUTH  SCRAM-SHA-256-PLUS   biws ', 'AUTH SCRAM-SHA-256-PLUS biws'],
  ['AUTH X_Y =', 'AUTH X_Y ='],
  ['AUTH', 'malformed 501 5.5.4'],
  ['AUTH PLAIN a b', 'malformed 501 5.5.4'],
  ['AUTH PLÄIN', 'malformed 501 5.5.4'],
  [`AUTH ${'X'.repeat(21)}`, 'malformed 501 5.5.4'],
]

for (const [line, expected] of CASES) {
  test(JSON.stringify(line), () => assert.equal(summary(parseCommand(line)), expected))
}

test('a control character anywhere spoils a command; a tab does not', () => {
  for (let code = 0; code < 128; code++) {
    const line = `NOOP ${String.fromCharCode(code)}x`
    const control = (code < 32 && code !== 9) || code === 127
    assert.equal(summary(parseCommand(line)), control ? 'malformed 500 5.5.2' : 'NOOP', String(code))
  }
})

test('parameters are bounded', () => {
  const many = (count: number) => `MAIL FROM:<a@b.example> ${Array.from({ length: count }, (_, i) => `P${i}=1`).join(' ')}`
  assert.equal(parseCommand(many(20)).verb, 'MAIL')
  assert.equal(summary(parseCommand(many(21))), 'malformed 501 5.5.4')
})
