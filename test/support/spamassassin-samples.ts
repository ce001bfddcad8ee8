/** Rules in SpamAssassin's format and messages for them, written to be compared with SpamAssassin itself. */

/** Words of the messages, and some that are in none. */
const WORDS = ['money', 'offer', 'Hello', 'account', 'caf\\xc3\\xa9', 'unsubscribe', 'free', 'Regards', 'invoice', 'prize', 'nothing', 'zebra']

const FORMS: readonly ((word: string, name: string) => string)[] = [
  (word, name) => `body ${name} /\\b${word}\\b/i`,
  (word, name) => `body ${name} /${word}\\s/`,
  (word, name) => `body ${name} /^${word}/i\ntflags ${name} nosubject`,
  (word, name) => `body ${name} /${word}.{0,20}\\w/i\ntflags ${name} multiple maxhits=3`,
  (word, name) => `rawbody ${name} /${word}/`,
  (word, name) => `rawbody ${name} /^[^<]*${word}[^<]*$/im`,
  (word, name) => `full ${name} /${word}/i`,
  (word, name) => `uri ${name} /${word}/i`,
  (word, name) => `header ${name} Subject =~ /${word}/i`,
  (word, name) => `header ${name} Subject !~ /${word}/`,
  (word, name) => `header ${name} ALL =~ /^X-.*${word}/mi`,
  (word, name) => `header ${name} From:name =~ /${word}/`,
]

const WRITTEN = `
header S_RAW Subject:raw =~ /=\\?utf-8\\?[bq]\\?/i
header S_TAB Subject:raw =~ /\\n\\t/
header S_END Subject =~ /\\w\\n$/
header S_EMPTY Subject =~ /^\\s*$/
header S_UNSET X-Unset =~ /^NONE$/ [if-unset: NONE]
header S_NOTSET X-Unset !~ /x/
header S_EXISTS exists:Reply-To
header S_TOCC ToCc =~ /bob\\@example\\.com/
header S_TOCC2 ToCc =~ /ann.*\\n.*carl/s
header S_ADDR From:addr =~ /^[^<>\\s]+\\@\\S+$/
header S_ADDR2 To:addr =~ /^ann\\@example\\.com$/
header S_UPPER From:addr =~ /[A-Z]/
header S_NAME From:name =~ /^["']/
header S_REPLY Reply-To:addr =~ /\\@example\\.net$/
header S_RCVD Received =~ /from b\\S+.*\\nfrom a/s
header S_RCVD2 Received:first =~ /by mx/
header S_ORDER ALL =~ /^Date: .*\\nMessage-ID: /mi
header S_ALLRAW ALL:raw =~ /^(?:Subject|From|To):\\S/im
header S_MSGID MESSAGEID =~ /^<[^@>]+\\@[^>]+>$/m
header S_NONASCII From =~ /[\\x80-\\xff]/
header S_COUNT Received =~ /from/
tflags S_COUNT multiple
header S_TRAILING_COLON Subject: =~ /free/
header S_TOCC_ADDR ToCc:addr =~ /\\@.*\\n.*\\@/s
header S_TOCC_EACH ToCc:addr =~ /^.+$/m
tflags S_TOCC_EACH multiple
header S_NAME_ALONE From:name =~ /^No Address$/
header S_NAME_BYTE From:name =~ /\\xc3\\xa0 \\xe3\\x82\\xa0 b/
header S_NO_ADDRESS From:addr !~ /./
header S_LATIN Subject =~ /\\xc3\\xa9t\\xc3\\xa9/
header S_LATIN_END Subject =~ /voil\\xc3\\xa0$/
header S_LIST_ID List-Id =~ /^=\\?/
mimeheader S_MIME_ALL_FIELDS ALL =~ /Content-Type: application.*\\nContent-Disposition: attach/s
mimeheader S_MIME_UNSET Content-ID =~ /^NONE$/ [if-unset: NONE]
mimeheader S_MIME_FOLD Content-Type =~ /^text\\/plain; charset/
rawbody S_CHUNK /^behind the cut/
body S_PIECE /^behind the cut/
mimeheader S_MIME Content-Type =~ /name="?[^"]+\\.pdf/i
mimeheader S_MIMERAW Content-Type:raw =~ /;\\s+charset/
mimeheader S_MIMENONE Content-ID =~ /^$/
mimeheader S_MIMEATT Content-Disposition =~ /attachment/
mimeheader S_MIMETOP Content-Type =~ /^multipart\\/alternative/
body S_PARAGRAPH /first line of it.*second line of it/
body S_SPANS /word.{1,3}word/i
body S_NBSP /non.breaking/
body S_BYTES /[\\xc0-\\xf7][\\x80-\\xbf]/
body S_START /^\\s?Dear\\b/
body S_END2 /kind regards\\s*$/i
body S_LONG /\\w{30,}/
body S_LOOK /(?<=your )account(?! number)/i
body S_BACK /\\b(\\w)\\1\\1/
body S_POSSESSIVE /a++b|x{2,}+y/
body S_HTMLTEXT /bold words/
body S_ALTTEXT /hidden words/
rawbody S_TAG /<a\\s[^>]{0,200}href=/i
rawbody S_MANY /<br>/i
tflags S_MANY multiple maxhits=5
rawbody S_ACROSS /first line of it\\nsecond/
full S_BOUNDARY /^--[\\w=-]+$/m
full S_HEADER /^Subject:/m
uri S_HTTPS /^https:/i
uri S_HOST m{^https?://[^/]*example\\.org/}i
uri S_MAILTO /^mailto:/
uri S_QUERY /\\?\\w+=\\w+/
uri S_PATH m{/a b|/a%20b}
uri S_IP m{^https?://\\d+\\.\\d+\\.\\d+\\.\\d+/}
uri S_COUNT_URI /^./
tflags S_COUNT_URI multiple maxhits=4
body S_FUZZY /<inter W><post P>(?!prize)<P><R><I><Z><E>/i
replace_tag P p
replace_tag R [r\\xae]
replace_tag I (?:[i1!|]|\\xc3\\xad)
replace_tag Z [z2]
replace_tag E [e3]
replace_inter W \\W?
replace_post P {1,2}
replace_rules S_FUZZY
meta S_M1 S_EXISTS && !S_UPPER
meta S_M2 S_COUNT >= 2 || S_MANY > 3
meta S_M3 (S_RAW + S_HTMLTEXT + S_TAG + S_LONG) > 1
meta S_M4 (S_COUNT_URI && S_COUNT) == 2
meta S_M5 !S_ABSENT && S_TOCC
meta S_M6 2 * S_COUNT - S_COUNT_URI
meta S_M7 S_M1 ? S_M3 : !S_M3
meta S_M8 rules_matching(S_MIME*) >= 2
meta S_M9 S_COUNT / 2 == 1
meta S_M10 S_M6 == -1
meta S_M11 S_ABSENT
meta S_M12 S_SWITCHED_OFF || S_NOTSET
meta S_BELOW S_COUNT - 10
meta S_M13 S_BELOW == 1
meta S_M14 S_ABSENT || S_COUNT
meta S_M15 S_M14 + S_COUNT == 4
meta S_M16 S_MANY && S_COUNT
meta S_M17 S_M16 == 2
meta S_MIME_ALL rules_matching(S_MIME*) >= 2
header S_SWITCHED_OFF Subject =~ /./
score S_SWITCHED_OFF 0
body S_ATTACHED /in the sheet/
rawbody S_ATTACHED_RAW /in the (?:sheet|card)/
uri S_ATTACHED_URI /in-(?:sheet|subject)/
body S_CALENDAR /in the calendar/
mimeheader S_SECOND Content-Type =~ /plain/
tflags S_SECOND range=2
mimeheader S_LATER Content-Type =~ /plain/
tflags S_LATER range=3-
mimeheader S_TOGETHER Content-Type =~ /plain.*csv/s
tflags S_TOGETHER concat range=-4
body S_UNICODE /\\P{Lu}\\w /
body S_NOT_UNICODE /\\xa9\\w /
body S_SHORT eval:check_body_length(600)
meta S_NUMBERS 1.5 > 1
meta S_NEVER 1 > 2
if (version >= 4.000000)
  meta S_IF 1
else
  meta S_ELSE 1
endif
ifplugin Mail::SpamAssassin::Plugin::MIMEHeader
  meta S_PLUGIN 1
endif
if !plugin(Mail::SpamAssassin::Plugin::Nothing)
  meta S_NOPLUGIN S_EXISTS
endif
`

export const SAMPLE_RULES = WRITTEN + WORDS.flatMap((word, w) => FORMS.map((form, f) => form(word, `S_W${w}_${f}`))).join('\n')

const HEADER = `Return-Path: <bounce@example.org>
Received: from b.example.net (b.example.net [203.0.113.9]) by mx.example.com
\twith ESMTP id 1; Mon, 1 Jan 2024 10:00:00 +0000
Received: from a.example.net by b.example.net; Mon, 1 Jan 2024 09:59:00 +0000
Date: Mon, 1 Jan 2024 09:59:00 +0000
Message-ID: <1.2.3@a.example.net>
`

const SIMPLE: readonly (readonly [header: string, body: string])[] = [
  ['From: Ann Author <ann@example.org>\nTo: ann@example.com\nSubject: Hello', 'Dear Bob,\n\nthis is the first line of it\nsecond line of it. Your account is fine.\n\nKind regards\n'],
  ['From: "Prize Office" <WIN@Example.ORG>\nTo: "Bob B" <bob@example.com>\nCc: carl@example.com\nReply-To: x@example.net (X)\nSubject: You won a\n\tprize', 'Get your prize now: https://www.example.org/a%20b?id=1 or http://192.0.2.7/x\nMoney money money. Offer! aaab\n'],
  ['From: =?utf-8?Q?Caf=C3=A9?= <cafe@example.org>\nTo: ann@example.com,\n carl@example.com\nSubject: =?utf-8?B?Y2Fmw6kgb2ZmZXI=?= free', 'Café is no ASCII. write to info@example.org or see www.example.org/offer\n\npr!ze p-r-i-z-e pr1ze\n'],
  ['From: ann@example.com (Hello there)\nTo: ann@example.com\nSubject:   \nX-Offer: free money', `${'longwordwithoutanyblanks'.repeat(3)}\n\nnothing\nunsubscribe: mailto:leave@example.org\n`],
  ["From: 'Hello' <a@b.example.org>\nSubject:no blank\nTo:bob@example.com", 'free\tfree  free\n\n\n\nxxy Regards\nzebra\n'],
  ['From: <a@example.org>\nTo: undisclosed-recipients:;\nSubject: =?iso-8859-1?Q?Caf=E9?=\n =?iso-8859-1?Q?_Hello?=', ''],
]

const MIME: readonly string[] = [
  `From: No Address
To: <no mail@example.com>, Ann <ann@example.com>
Cc: <x@y@example.org>
List-Id: =?utf-8?Q?Caf=C3=A9?=
Subject: un \xe9t\xe9 free
Content-Type: text/plain;
\tcharset=utf-8

${'x'.repeat(2100)}
behind the cut ${'word '.repeat(700)}
`,
  `From: "\xc3\xa0 \xe3\x82\xa0 b" <a@example.org>
To: joe@example.com <joe@example.com>
Subject: \xc3\xa0 voil\xc3\xa0

${'word '.repeat(409)}behind the cut
`,
  `From: Ann <ann@example.org>
To: bob@example.com
Subject: invoice
Content-Type: multipart/mixed; boundary="b1"

preamble with money
--b1
Content-Type: multipart/alternative; boundary=b2

--b2
Content-Type: text/plain;
 charset=utf-8
Content-Transfer-Encoding: quoted-printable

Caf=C3=A9 free offer, word word. =
continued
--b2
Content-Type: text/html; charset=utf-8

<html><body><p>Caf&eacute; <b>bold</b> words</p><br><br><br><br>word&nbsp;word
<a href="https://click.example.org/path?account=1&amp;b=2">money</a><p><span style="display:none">hidden words</span></p></body></html>
--b2--
--b1
Content-Type: application/pdf; name="invoice.pdf"
Content-Disposition: attachment
Content-Transfer-Encoding: base64

${Buffer.from('%PDF-1.4 nothing').toString('base64')}
--b1--
`,
  `From: Bob <bob@example.org>
To: ann@example.com
Subject: Regards
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: base64

${Buffer.from('Start<p>Hello Café prize</p><div>non breaking</div><img src="http://img.example.org/offer.gif">', 'latin1').toString('base64')}
`,
  `From: Bob <bob@example.org>
To: ann@example.com
Subject: plain
Content-Type: text/plain; charset=windows-1252
Content-Transfer-Encoding: 8bit

Caf\xe9 and money\r
`,
  `From: Bob <bob@example.org>
To: ann@example.com
Subject: see http://in-subject.example.org/
Content-Type: multipart/mixed; boundary=b1

--b1
Content-Type: text/plain; charset=utf-8

caf\xc3\xa9 there
--b1
Content-Type: text/csv; name=sheet.csv
Content-Disposition: attachment; filename=sheet.csv

a prize in the sheet, http://in-sheet.example.org/
--b1
Content-Type: text/x-vcard
Content-Disposition: attachment

in the card
--b1
Content-Type: text/calendar

in the calendar
--b1--
`,
]

/** With LF as line ends, a byte a character. */
export const SAMPLE_MESSAGES: readonly Buffer[] = [
  ...SIMPLE.map(([header, body]) => Buffer.from(`${HEADER}${header}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n${body}`)),
  ...MIME.map((message) => Buffer.from(`${HEADER}MIME-Version: 1.0\n${message}`, 'latin1')),
]
