/**
 * What `postern demo` sends. All of it is our own writing; names and domains
 * are those that RFC 2606 keeps free. Each sample says what has to become of
 * it, so that the demonstration is a test as well.
 */
export interface Sample {
  readonly title: string
  /** what it is about, for the reader */
  readonly about: string
  readonly from: string
  readonly to: string
  /** as the client sends it, before dot-stuffing; a "binary" string, one character a byte */
  readonly message: string
  readonly expected: Expectation
}

export type Expectation =
  /** into this mailbox */
  | { readonly kind: 'delivered'; readonly mailbox: string }
  /** at RCPT, with a reply that begins so */
  | { readonly kind: 'refused'; readonly reply: string }

export const DEMO_DOMAIN = 'example.org'
export const DEMO_USERS = ['anna', 'post'] as const
export const DEMO_ALIASES = 'info: anna\n'

const lines = (...text: readonly string[]): string => text.join('\r\n') + '\r\n'
const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

const LETTER = lines(
  'From: Ben <ben@home.example>',
  'To: Anna <anna@example.org>',
  'Subject: Sunday',
  'Date: Tue, 3 Mar 2026 18:20:00 +0100',
  'Message-ID: <sunday.1@home.example>',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: 8bit',
  '',
  utf8('Dear Anna,'),
  '',
  utf8('the pear tree blooms three weeks early. Come on Sunday, bring the ladder'),
  utf8('and your brother; there will be soup, and Käsekuchen.'),
  '',
  '.. and if it rains we shall sit in the shed and complain.',
  '',
  'Ben',
)

const NEWSLETTER = lines(
  'From: =?utf-8?Q?Gartenfreunde_S=C3=BCd?= <news@garden.example>',
  'To: anna+garden@example.org',
  'Subject: =?utf-8?B?' + Buffer.from('Im März: schneiden, säen, warten').toString('base64') + '?=',
  'Date: Sun, 1 Mar 2026 06:00:00 +0000',
  'Message-ID: <2026-03.4711@garden.example>',
  'List-Id: Garden news <news.garden.example>',
  'List-Unsubscribe: <https://garden.example/off?u=4711>, <mailto:off@garden.example>',
  'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
  'Precedence: bulk',
  'MIME-Version: 1.0',
  'Content-Type: multipart/alternative; boundary="two-ways-to-read"',
  '',
  '--two-ways-to-read',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'In March: prune, sow, wait. The almanac is wrong again this year, but so is=',
  ' the weather.',
  '',
  '--two-ways-to-read',
  'Content-Type: text/html; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  '<h1>In March</h1><p>Prune, sow, <em>wait</em>. <a href=3D"https://garden.exam=',
  'ple/march">More</a></p>',
  '',
  '--two-ways-to-read--',
)

const FORGERY = lines(
  'From: "Your bank" <security@bank.example>',
  'Reply-To: helpdesk@elsewhere.invalid',
  'To: anna@example.org',
  'Subject: Your account is closed today',
  'Date: Wed, 4 Mar 2026 03:11:09 +0000',
  'Message-ID: <1@elsewhere.invalid>',
  'Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=bank.example; dkim=pass header.d=bank.example',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=us-ascii',
  '',
  'Dear customer,',
  '',
  'confirm your password within two hours or lose your savings:',
  'http://bank.example.elsewhere.invalid/confirm',
)

/** The test file that every virus scanner knows and that does nothing (eicar.org); in two parts, so that no scanner minds this source. */
const TEST_VIRUS = 'X5O!P%@AP[4\\PZX54(P^)7CC)7}$' + 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'

const VIRUS = lines(
  'From: Accounts <accounts@supplier.example>',
  'To: post@example.org',
  'Subject: Invoice 2026-117',
  'Date: Thu, 5 Mar 2026 09:00:00 +0000',
  'Message-ID: <invoice.117@supplier.example>',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary="invoice-117"',
  '',
  '--invoice-117',
  'Content-Type: text/plain; charset=us-ascii',
  '',
  'Please find our invoice attached. Kindly open it at once.',
  '',
  '--invoice-117',
  'Content-Type: application/octet-stream; name="invoice.pdf.com"',
  'Content-Disposition: attachment; filename="invoice.pdf.com"',
  'Content-Transfer-Encoding: base64',
  '',
  Buffer.from(TEST_VIRUS, 'latin1').toString('base64'),
  '',
  '--invoice-117--',
)

/**
 * Written by nobody's mail program: bare LFs, one bare CR, a NUL, a byte that
 * is no UTF-8, a boundary that is never used, and behind a dot on a line that
 * only LFs end a second message, for servers that take that for the end.
 */
const BROKEN =
  'From: printer@office.example\r\n' +
  'To: info@example.org\r\n' +
  'Subject: scan \xe9t\xe9\r\n' +
  'MIME-Version: 1.0\r\n' +
  'Content-Type: multipart/mixed; boundary="never-used"\r\n' +
  '\r\n' +
  'PAGE 1 OF 1\n' +
  'TONER LOW\n' +
  'CODE 0x\x0000\n' +
  'PROGRESS 10%\rPROGRESS 99%\r\n' +
  '\n.\n' +
  'MAIL FROM:<boss@example.org>\n' +
  'RCPT TO:<anna@example.org>\n' +
  'DATA\n' +
  'Subject: Pay this at once\n' +
  '\r\n'

const NOTE = lines('From: ben@home.example', 'Subject: Are you there?', '', 'Hello?')

export const SAMPLES: readonly Sample[] = [
  {
    title: 'A letter',
    about: 'plain text with an umlaut, and a line that begins with dots',
    from: 'ben@home.example',
    to: 'anna@example.org',
    message: LETTER,
    expected: { kind: 'delivered', mailbox: 'anna' },
  },
  {
    title: 'A newsletter',
    about: 'two alternatives, list headers; sent to anna+garden, a suffix of anna',
    from: 'bounce-4711@garden.example',
    to: 'anna+garden@example.org',
    message: NEWSLETTER,
    expected: { kind: 'delivered', mailbox: 'anna' },
  },
  {
    title: 'A forgery',
    about: 'claims to come from a bank, and brings an Authentication-Results field that says so',
    from: 'security@bank.example',
    to: 'anna@example.org',
    message: FORGERY,
    expected: { kind: 'delivered', mailbox: 'anna' },
  },
  {
    title: 'A virus',
    about: 'the harmless EICAR test file, as invoice.pdf.com',
    from: 'accounts@supplier.example',
    to: 'post@example.org',
    message: VIRUS,
    expected: { kind: 'delivered', mailbox: 'post' },
  },
  {
    title: 'A broken message',
    about: 'bare line ends, a NUL, MIME without its parts, and a second message smuggled in behind LF . LF',
    from: 'printer@office.example',
    to: 'info@example.org',
    message: BROKEN,
    expected: { kind: 'delivered', mailbox: 'anna' },
  },
  {
    title: 'Mail for nobody',
    about: 'there is no such user',
    from: 'ben@home.example',
    to: 'nobody@example.org',
    message: NOTE,
    expected: { kind: 'refused', reply: '550 5.1.1 ' },
  },
  {
    title: 'Mail for somebody else',
    about: 'a stranger asks us to pass it on to another domain: an open relay would',
    from: 'ben@home.example',
    to: 'carol@elsewhere.example',
    message: NOTE,
    expected: { kind: 'refused', reply: '550 5.7.1 ' },
  },
]
