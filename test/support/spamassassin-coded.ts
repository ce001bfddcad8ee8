/** Rules of SpamAssassin's that ask by code, and messages for them, to be compared with SpamAssassin itself. */

export const CODED_RULES = `
header C_SHIFT_BEFORE eval:check_for_shifted_date('undef', '-96')
header C_SHIFT_BACK eval:check_for_shifted_date('-96', '-1')
header C_SHIFT_NONE eval:check_for_shifted_date('-1', '1')
header C_SHIFT_AHEAD eval:check_for_shifted_date('1', '96')
header C_SHIFT_FAR eval:check_for_shifted_date('96', 'undef')
header C_ILLEGAL_SUBJECT eval:check_illegal_chars('Subject','0.00','2')
header C_ILLEGAL_FROM eval:check_illegal_chars('From','0.20','2')
header C_ILLEGAL_ALL eval:check_illegal_chars('ALL','0.010','2')
header C_CAPS eval:subject_is_all_caps()
header C_TO_USER eval:check_for_to_in_subject('user')
header C_TO_ADDRESS eval:check_for_to_in_subject('address')
body C_UPPER_0 eval:check_for_uppercase('0', '25')
body C_UPPER_25 eval:check_for_uppercase('25', '75')
body C_UPPER_75 eval:check_for_uppercase('75', '100')
`

const RECEIVED = 'Received: from a.example.net by b.example.net'
const dated = (date: string, ...received: readonly string[]): string => `${received.map((one) => `${RECEIVED}; ${one}\n`).join('')}Date: ${date}\nFrom: a@example.org\nSubject: date\n\ntext\n`
const titled = (subject: string, { to = 'Ann <ann@example.com>, bob@example.com', from = 'a@example.org', body = 'text' } = {}): string => `From: ${from}\nTo: ${to}\nSubject: ${subject}\n\n${body}\n`
const NOON = 'Mon, 1 Jan 2024 12:00:00 +0000'

const MESSAGES: readonly string[] = [
  dated(NOON, NOON), dated('Mon, 1 Jan 2024 18:00:00 +0500', NOON), dated('Mon, 1 Jan 2024 12:00:00 EST', NOON), dated('1 Jan 24 14:30 GMT', 'Mon, 1 Jan 2024 13:00:00 +0200', NOON),
  dated('Mon Jan  1 12:00:00 2024', NOON), dated('Tue, 31 Feb 2023 12:00:00 -0000', NOON), dated('Wed, 1 Jan 2025 12:00:00 +0000', NOON, 'Wed, 1 Jan 2025 11:50:00 +0000'),
  dated('no date', NOON), dated(NOON), dated('1 Jan 1999 12:00:00 +0100', NOON, '1 Jan 1999 12:00:00 +0100'), dated('1 Jan 1999 12:00:00 +0100', '1 Jan 1999 12:00:00 +0100'), dated('31 Dec 2199 25:61:61 +0000', NOON), dated('Mon, 01 Jan 124 12:00:00 MEZ', NOON, 'nothing'),
  `${RECEIVED}; ${NOON}\nResent-Date: Tue, 2 Jan 2024 12:00:00 +0000\n${dated(NOON)}`,
  `Received: from localhost by localhost; Tue, 2 Jan 2024 12:00:00 +0000\nReceived: from pop.example.net by localhost with POP3 (fetchmail-6.4.0); Tue, 2 Jan 2024 12:00:00 +0000\n${dated('Tue, 2 Jan 2024 12:00:00 +0000', NOON)}`,
  ...['THIS IS AN OFFER', 'RE: FWD: OFFER OFFER', 'RE: OFFERED', 'This IS AN OFFER', 'ONEWORDALONE', 'SHORT ONE', '=?koi8-r?Q?OFFER_AND_OFFER?=', '=?utf-8?Q?OFFER_AND_OFFER?=', '123 456 789 10', 'ann', 'Ann, see this', 'ann, see this', 're: your ann', 'for ann@example.com now', ', ann!', 'bob', 'joanne'].map((subject) => titled(subject)),
  titled('bob!', { to: 'undisclosed-recipients:;' }), titled('x', { from: 'A\xe4\xf6\xfc <a@example.org>' }), titled('x', { from: '\xe4\xf6\xfc\xe4\xf6\xfc <a@b.example>' }), titled('\xe4\xf6\xfc'), titled('\xe4 \xa3'), titled('\xa3\xe4 \xe4'), titled('caf\xc3\xa9 caf\xc3\xa9'), titled('a\x01\x02b'),
  ...['MANY CAPITAL LETTERS HERE\n\n', 'Half OF THEM is it\n\n', 'few of them Here\n\n', 'NOBLANKHERE\n\n', '1234 5678 ABCD\n\n'].map((line) => titled('x', { body: line.repeat(20) })),
  titled('x', { body: 'SO FEW' }), `Content-Type: text/plain; charset=koi8-r\n${titled('x', { body: 'MANY CAPITAL LETTERS HERE\n\n'.repeat(20) })}`,
]

/** With LF as line ends, a byte a character. */
export const CODED_MESSAGES: readonly Buffer[] = MESSAGES.map((message) => Buffer.from(message, 'latin1'))
