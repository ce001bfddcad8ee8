/**
 * Messages to sign and to verify (RFC 6376): those of the conformance suites,
 * as they are and mended so that they can be signed, and generated ones with
 * everything in them that canonicalisation is about. The same ones each time.
 *
 * Text is binary (latin1). In `generated` CR and LF stand only together, as
 * SMTP has it; `bareMessages` has the others.
 */
import { Random } from './fuzzing.ts'
import { mailSamples, mimeSamples } from './mail-samples.ts'

export interface SignableMessage {
  readonly name: string
  readonly message: Buffer
}

export function suiteMessages(suite: 'mail' | 'mime'): SignableMessage[] {
  return (suite === 'mail' ? mailSamples() : mimeSamples()).map(({ name, expected }) => ({ name, message: expected }))
}

/** As a careful mail client would have written it: nothing in the header section but fields, and a From. */
export function mended(message: Buffer): Buffer {
  const text = message.toString('latin1')
  const end = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n') + 2
  const head = end === 1 ? text : text.slice(0, end)
  const fields = head.match(/[^\r\n]+\r\n(?:[ \t][^\r\n]*\r\n)*/g) ?? []
  const kept = fields.filter((field) => /^[\x21-\x39\x3b-\x7e]+[ \t]*:/.test(field))
  const from = kept.some((field) => /^from[ \t]*:/i.test(field)) ? '' : 'From: Nobody <nobody@example.com>\r\n'
  return Buffer.from(from + kept.join('') + text.slice(head.length), 'latin1')
}

const TOP = 'From: Ada <ada@example.com>\r\nTo: bob@example.net\r\nSubject: tea\r\nDate: Sun, 1 Mar 2026 11:59:00 +0000\r\n'
const BODY = 'At  four. \r\n\r\nAda\t \r\n\r\n\r\n'
const X = 'x'

/** Fields that are put under the usual ones, by what is odd about them. */
const FIELDS: Readonly<Record<string, string>> = {
  'no more': '',
  'folds': 'X-Long: a\r\n b\r\n\tc\r\n \t d\r\n',
  'a fold behind the colon': 'X-Long:\r\n a\r\nX-Other: \r\n\tb\r\n',
  'folds with many blanks': `X-Long: a\r\n${' '.repeat(70)}b\r\n${'\t'.repeat(30)}c \t \r\n d\r\n`,
  'a folded address list': `Cc: ${Array.from({ length: 200 }, (_, i) => `"Guest, ${i}" <guest${i}@example.net>`).join(',\r\n\t')}\r\n`,
  'empty values': 'X-A:\r\nX-B: \r\nX-C:\t\r\nX-D:  \t \r\n',
  'no blank behind the colon': 'X-A:a\r\nX-B:b c\r\n',
  'blanks at the end': 'X-A: a \r\nX-B: b\t\r\nX-C: c \t \r\n',
  'tabs and many blanks': 'X-A:\t\ta\t\tb  \t  c\r\n',
  'blanks before the colon': 'X-A : a\r\nX-B   :\r\n',
  'a tab before the colon': 'X-A\t: a\r\n',
  'odd case': 'x-lower: A\r\nX-UPPER: b\r\nx-MiXeD: C\r\n',
  'repeated': 'X-A: 1\r\nX-B: 2\r\nX-A: 3\r\nx-a: 4\r\nX-B: 5\r\nX-A: 3\r\n',
  'repeated that may stand once': 'Subject: coffee\r\nTo: carol@example.net\r\nDate: Mon, 2 Mar 2026 00:00:00 +0000\r\n',
  'a second From': 'From: Eve <eve@example.org>\r\n',
  'many': Array.from({ length: 180 }, (_, i) => `X-${i}: ${'v '.repeat(i % 9)}\r\n`).join(''),
  'a hundred of one name': Array.from({ length: 100 }, (_, i) => `Received: from a${i}.example by b${i}.example\r\n\twith ESMTP id ${i};\r\n  Sun, 1 Mar 2026 11:${String(i % 60).padStart(2, '0')}:00 +0000\r\n`).join(''),
  'a line of 998': `X-Long: ${X.repeat(990)}\r\n`,
  'a line of 6000': `X-Long: ${'word '.repeat(1198)}\r\n`,
  'a long word': `X-Long: ${X.repeat(9000)}\r\n`,
  'utf-8': 'X-A: caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8d\xb5\r\nX-B: \xc2\xa0nbsp\xc2\xa0\r\n',
  'latin1': 'X-A: caf\xe9 \xff\x80\x9f\r\n',
  'bytes that some take for white space, inside': 'X-A: a\x0bb\x0cc\x1cd\x1ee\x85f\xa0g\r\n',
  'control characters': 'X-A: \x01\x02\x07\x08\x0e\x1b\x7f.\r\n',
  'colons, semicolons, quotes': 'X-A: a: b; c=d; "e;:" (f:\\)g)\r\nX-B: :\r\nX-C:::\r\n',
  'names with punctuation': 'X-a.b_c!#$%&\'*+^`{|}~: v\r\nx.y: w\r\n0: n\r\n',
  'names that others begin with': 'Fro: a\r\nFrom-X: b\r\nFromage: c\r\nX-From: d\r\n',
  'values that look like signatures': 'X-A: v=1; a=rsa-sha256; b=abc; bh=\r\nX-DKIM-Signature: v=1; b=; c=relaxed\r\n',
  'MIME': 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary="=_b";\r\n charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n',
  'encoded words': 'X-A: =?utf-8?q?caf=C3=A9?=\r\n =?utf-8?b?w6k=?=\r\n',
  'a list': 'List-Id: <tea.example.com>\r\nList-Unsubscribe: <mailto:tea-off@example.com>,\r\n <https://example.com/off>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nPrecedence: list\r\n',
}

const BODIES: Readonly<Record<string, string>> = {
  'empty': '',
  'a line end': '\r\n',
  'line ends': '\r\n\r\n\r\n\r\n',
  'a blank line': ' \r\n',
  'blank lines': '\t \r\n \r\n  \t\r\n',
  'one line': 'a\r\n',
  'a blank at the end of a line': 'a \r\n',
  'trailing empty lines': 'a\r\n\r\n\r\n\r\n',
  'trailing blank lines': 'a\r\n \r\n\t\r\n \t \r\n',
  'trailing empty and blank lines': 'a\r\n\r\n \r\n\r\n\t\r\n\r\n',
  'leading empty lines': '\r\n\r\na\r\n',
  'leading blank lines': ' \r\n\t\r\na\r\n',
  'blanks in front': ' a\r\n\tb\r\n  \t c\r\n',
  'blanks within': 'a  b\tc \t d\t\te\r\n',
  'blanks at the ends of lines': 'a \r\nb\t\r\nc \t \r\n\r\nd\r\n',
  'dots': '.\r\n..\r\n.a\r\n...\r\n',
  'lines that begin with From': 'From ada\r\n>From bob\r\nFrom: x\r\n',
  'what looks like a header': 'Subject: a\r\n\r\nFrom: b\r\n c\r\n',
  '8-bit': `${Array.from({ length: 128 }, (_, i) => String.fromCharCode(128 + i)).join('')}\r\n`,
  'utf-8': 'caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8d\xb5\r\n',
  'control characters': `${Array.from({ length: 32 }, (_, i) => (i === 0 || i === 9 || i === 10 || i === 13 ? '' : String.fromCharCode(i))).join('')}\x7f\r\n`,
  'bytes that some take for white space': 'a\x0b\r\nb\x0c\r\nc\x1c\x1d\x1e\x1f\r\nd\x85\r\ne\xa0\r\nf\x0b \r\n\x0c\r\n\xa0\r\n',
  'bytes that some take for white space, at the end': 'a\r\n\x0c\r\n\r\n',
  'a line of 998': `${X.repeat(998)}\r\n`,
  'a line of 70000': `${X.repeat(70_000)}\r\n`,
  'a line with 3000 blanks': `a${' \t'.repeat(1500)}b\r\n`,
  'a line of 3000 blanks at the end': `a\r\n${' '.repeat(3000)}\r\n`,
  '20000 empty lines within': `a${'\r\n'.repeat(20_000)}b\r\n`,
  '20000 empty lines at the end': `a${'\r\n'.repeat(20_000)}`,
  '2000 blank lines at the end': `a${' \r\n'.repeat(2000)}`,
  'an attachment': `--=_b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n${`${'QUJD'.repeat(19)}\r\n`.repeat(5000)}--=_b--\r\n`,
}

const WORDS = [' ', ' ', '\t', '  ', '\r\n', '\r\n', '\r\n\r\n', ' \r\n', '\t\r\n', 'a', 'b', '.', 'word', '\xe9', ':', ';', 'x'.repeat(80)] as const
const NAMES = ['Subject', 'To', 'Cc', 'X-A', 'x-a', 'X-B', 'List-Id', 'Reply-To', 'Comments', 'MIME-Version'] as const
const VALUES = [' ', '\t', '  ', 'a', 'b', 'word', '\xc3\xa9', ':', ';', '=', '\r\n ', '\r\n\t', '\r\n  x', '"q"', '<a@b>', ','] as const

function randomMessage(random: Random): string {
  let head = ''
  for (let fields = random.below(12); fields > 0; fields--) head += `${random.pick(NAMES)}:${wholeLines(words(random, VALUES, 14))}\r\n`
  return `${head}${TOP}\r\n${words(random, WORDS, 60)}\r\n`
}

function words(random: Random, of: readonly string[], most: number): string {
  return Array.from({ length: random.below(most + 1) }, () => random.pick(of)).join('')
}

/** A fold with nothing but blanks behind it may be taken for the empty line: it gets something. */
function wholeLines(value: string): string {
  return value.split('\r\n').map((line, i) => (i > 0 && line.trim() === '' ? `${line}f` : line)).join('\r\n')
}

const RANDOM_MESSAGES = 100

export function generatedMessages(): SignableMessage[] {
  const random = new Random(6376)
  const all: Record<string, string> = { 'no empty line, no body': TOP }
  for (const [name, fields] of Object.entries(FIELDS)) all[`fields: ${name}`] = `${TOP}${fields}\r\n${BODY}`
  for (const [name, body] of Object.entries(BODIES)) all[`body: ${name}`] = `${TOP}\r\n${body}`
  for (let i = 0; i < RANDOM_MESSAGES; i++) all[`random ${i}`] = randomMessage(random)
  return listed(all)
}

/** Bodies whose last line has no end (§3.4.3, §3.4.4): BDAT can bring them, DATA cannot. */
const UNENDED: Readonly<Record<string, string>> = {
  'a blank alone': ' ',
  'a blank line, a blank': '\t\r\n ',
  'one byte': 'a',
  'one line': 'a word',
  'behind a blank': 'a ',
  'behind tabs': 'a\t\t',
  'behind empty lines': '\r\n\r\na',
  'a last line of blanks': 'a\r\n \t',
  'a line of 70000': X.repeat(70_000),
}

/** What the RFC has no word for, or what readers are known to see in two ways, though CR and LF stand together. */
const EDGES: Readonly<Record<string, string>> = {
  'a fold with nothing behind it': `${TOP}X-A: a\r\n \r\n b\r\n\r\n${BODY}`,
  'a fold with nothing behind it, last': `${TOP}X-A: a\r\n \t\r\n\r\n${BODY}`,
  'bytes that some take for white space, at the ends of a value': `${TOP}X-A: \x0ba\x0b\r\nX-B: \x0cb\x0c\r\nX-C: \x85c\x85\r\nX-D: \xa0d\xa0\r\nX-E: \x1ce\x1f\r\n\r\n${BODY}`,
  'NUL in a value': `${TOP}X-A: a\0b\r\n\r\n${BODY}`,
  'NUL in the body': `${TOP}\r\na\0b\r\n\0\r\n`,
}

/** CR and LF alone in a body: RFC 6376 §3.4 knows only CRLF as the end of a line; §5.3 wants them gone before it is signed. */
const BARE_BODIES: Readonly<Record<string, string>> = {
  'CR': 'a\rb\r\n',
  'CR at the end of the body': 'a\r\nb\r',
  'CR before CRLF': 'a\r\r\nb\r\n',
  'CR behind a blank': 'a \rb\r\n',
  'CR behind a blank at the end': 'a\r\nb \r',
  'CR and a blank before CRLF': 'a\r \r\nb\r\n',
  'CR as the whole body': '\r',
  'CR as the last line': 'a\r\n\r',
  'CR between empty lines at the end': 'a\r\n\r\r\n\r\n',
  'LF': 'a\nb\r\n',
  'LF at the end of the body': 'a\r\nb\n',
  'LF behind a blank': 'a \nb\r\n',
  'LF behind CRLF': 'a\r\n\nb\r\n',
  'LF as the whole body': '\n',
  'LF as the last lines': 'a\r\n\n\n',
  'LF before CR': 'a\n\rb\r\n',
}

/** Header sections that readers take differently: they are not to be signed. */
const BARE_HEADERS: Readonly<Record<string, string>> = {
  'CR in a value': `${TOP}X-A: a\rb\r\n\r\n${BODY}`,
  'CR before CRLF': `${TOP}X-A: a\r\r\n\r\n${BODY}`,
  'LF in a value': `${TOP}X-A: a\nX-B: b\r\n\r\n${BODY}`,
  'LF before a fold': `${TOP}X-A: a\n b\r\n\r\n${BODY}`,
  'LF LF': `${TOP}X-A: a\n\nX-B: b\r\n\r\n${BODY}`,
  'LF only': `${TOP}\r\n${BODY}`.replaceAll('\r\n', '\n'),
  'a line that is no field': `${TOP}nothing\r\nX-A: a\r\n\r\n${BODY}`,
  'the line of a mailbox file on top': `From ada Sun Mar  1 11:59:00 2026\r\n${TOP}\r\n${BODY}`,
  'a fold on top': ` x\r\n${TOP}\r\n${BODY}`,
  'a fold before a colon': `${TOP}X-A\r\n : a\r\n\r\n${BODY}`,
  'no name before a colon': `${TOP}: a\r\n\r\n${BODY}`,
  'a name with a byte outside ASCII': `${TOP}X-\xe9: a\r\n\r\n${BODY}`,
  'no From': `${TOP.replace('From', 'X-From')}\r\n${BODY}`,
  'nothing but a body': `\r\n${BODY}`,
  'nothing': '',
}

export const edgeMessages = (): SignableMessage[] => listed(EDGES)
export const unendedMessages = (): SignableMessage[] => listed(Object.fromEntries(Object.entries(UNENDED).map(([name, body]) => [name, `${TOP}\r\n${body}`])))
export const bareBodies = (): SignableMessage[] => listed(Object.fromEntries(Object.entries(BARE_BODIES).map(([name, body]) => [name, `${TOP}\r\n${body}`])))
export const unsignableMessages = (): SignableMessage[] => listed(BARE_HEADERS)

function listed(all: Readonly<Record<string, string>>): SignableMessage[] {
  return Object.entries(all).map(([name, text]) => ({ name, message: Buffer.from(text, 'latin1') }))
}
