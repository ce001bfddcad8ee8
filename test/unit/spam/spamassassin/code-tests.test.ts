import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from '../../../support/rules.ts'
import { cfTold, spamHits, spamRules } from '../../../support/spamassassin.ts'

const HTML = 'From: a@example.org\nSubject: x\nSubject: y\nContent-Type: text/html\n\n<html><body><!-- <center> --><p>Hello<iframe src="https://example.com/"></iframe></body></html>\n'
const PLAIN = 'From: Ann <ann@Example.org>\nTo: bob@example.com\nSubject: x\n\nHello\n'

test('what Postern knows too is answered', () => {
  const rules = `
    body HTML eval:html_test('html')
    body HTML_ONLY eval:check_for_mime_html_only()
    body __MIME_HTML eval:check_for_mime_html()
    body IFRAME eval:check_iframe_src()
    body TAG_BODY eval:html_tag_exists('body')
    body TAG_CENTER eval:html_tag_exists("center")
    header NO_TO eval:check_for_missing_to_header()
    header SUBJECTS eval:check_header_count_range('Subject','2','999')
    body SHORT eval:check_body_length('50')
    body ATTACHED eval:check_for_mime('mime_attachment')
    body COMMENT eval:html_text_match('comment', '<!.*?>')
    rawbody BASE64 eval:check_for_mime('mime_base64_count')`
  assert.deepEqual(spamHits(rules, HTML), ['HTML', 'HTML_ONLY', '__MIME_HTML', 'IFRAME', 'TAG_BODY', 'NO_TO', 'SUBJECTS', 'COMMENT'])
  assert.deepEqual(spamHits(rules, PLAIN), ['SHORT'])
})

test('dates: how far Date lies from the nearest Received', () => {
  const rules = "header PAST eval:check_for_shifted_date('undef', '-96')\nheader BACK eval:check_for_shifted_date('-12', '-6')\nheader NEAR eval:check_for_shifted_date('-1', '1')\nheader AHEAD eval:check_for_shifted_date('3', '6')\nheader FAR eval:check_for_shifted_date('96', 'undef')"
  const hits = (date: string, ...received: readonly string[]) => spamHits(rules, `${received.map((one) => `Received: from a by b; ${one}\n`).join('')}Date: ${date}\n\nx\n`).join()
  const noon = 'Mon, 1 Jan 2024 12:00:00 +0000'
  assert.equal(hits('Mon, 1 Jan 2024 20:00:00 +0500', noon), 'AHEAD')
  assert.equal(hits('Mon, 1 Jan 2024 05:00:00 GMT', noon), 'BACK')
  assert.equal(hits('Fri, 1 Dec 2023 12:00:00 +0000', noon), 'PAST')
  assert.equal(hits('Mon, 1 Jan 2029 12:00 EST', noon), 'FAR')
  assert.equal(hits('Mon, 1 Jan 2029 12:00:00 +0000', noon, 'Mon, 1 Jan 2029 11:59:00 +0000'), 'NEAR')
  for (const date of ['Mon, 1 Jan 2029 12:00:00 +0000', 'tomorrow']) assert.equal(hits(date, ...(date === 'tomorrow' ? [noon] : [])), 'NEAR', 'not known is no shift')
})

test('letters: capitals, bytes that are none of the alphabet, the addressee in the Subject', () => {
  const rules = "header CAPS eval:subject_is_all_caps()\nheader ILLEGAL eval:check_illegal_chars('Subject','0.00','2')\nheader ALL_ILLEGAL eval:check_illegal_chars('ALL','0.010','2')\nheader TO eval:check_for_to_in_subject('user')\nbody LOUD eval:check_for_uppercase('75', '100')"
  const hits = (subject: string, body = 'x') => spamHits(rules, `To: Ann <ann@example.com>\nSubject: ${subject}\n\n${body}\n`).join()
  assert.equal(hits('RE: AN OFFER FOR YOU'), 'CAPS')
  assert.equal(hits('=?koi8-r?Q?AN_OFFER_FOR_YOU?='), '')
  assert.equal(hits('\xe4\xf6\xfc'), 'ILLEGAL,ALL_ILLEGAL')
  assert.equal(hits('caf\xc3\xa9 caf\xc3\xa9'), '')
  assert.equal(hits('ann, a word'), 'TO')
  assert.equal(hits('annual report'), '')
  assert.equal(hits('x', 'VERY LOUD WORDS '.repeat(20)), 'LOUD')
  assert.equal(hits('x', 'VERY LOUD WORDS'), '')
})

test('what is asked in another form than is known is not honoured', () => {
  const { rules } = spamRules("header A eval:check_for_shifted_date('x', '1')\nheader B eval:check_illegal_chars('Subject','0.00')\nheader C eval:check_for_to_in_subject('name')\nbody D eval:check_for_uppercase('1')")
  assert.deepEqual(rules, [])
})

test('authentication is what Postern found', () => {
  const rules = `
    header SPF_PASS eval:check_for_spf_pass()
    header SPF_FAIL eval:check_for_spf_fail()
    full SIGNED eval:check_dkim_signed()
    full VALID eval:check_dkim_valid()
    full LISTED eval:check_dkim_valid('example.net', 'example.org')
    full AUTHOR eval:check_dkim_valid_author_sig()
    full ENVELOPE eval:check_dkim_valid_envelopefrom()
    full ARC eval:check_arc_valid()
    header DMARC eval:check_dmarc_pass()
    header NO_DMARC eval:check_dmarc_missing()
    meta UNPROVED !SPF_PASS`
  const facts = factsOf({ spf: ['pass'], dkim: ['pass'], dkim_domain: ['example.org'], sender: ['x@bounce.example'], arc: ['none'], dmarc: ['pass'] })
  assert.deepEqual(spamHits(rules, PLAIN, facts), ['SPF_PASS', 'SIGNED', 'VALID', 'LISTED', 'AUTHOR', 'DMARC'])
  assert.deepEqual(spamHits(rules, PLAIN), [], 'what is not known neither holds nor does its opposite')
})

test('what is done by code otherwise is told, with where Postern has it', () => {
  const { rules, problems } = spamRules("body BAYES_99 eval:check_bayes('0.99', '1.00')\nheader RBL rbleval:check_rbl('zen', 'zen.example.')\nbody ODD eval:odd(x y)\nbody NONE eval:none")
  assert.deepEqual(rules, [])
  assert.deepEqual(cfTold(problems), [
    "local.cf:1: it asks by code of SpamAssassin's, check_bayes(); Postern has a classifier of its own: spam.bayes, \"postern train\"; it counts as not hit",
    "local.cf:2: it asks by code of SpamAssassin's, check_rbl(); lists of addresses in the DNS are asked by Postern itself: policy.dnsbl, policy.dnswl (its resolver: dns.servers); it counts as not hit",
    "local.cf:3: it asks by code of SpamAssassin's, odd(); it counts as not hit",
    'local.cf:4: it calls nothing; a test by code is eval:name(…); it counts as not hit',
  ])
})

test('the length of a body that is not kept whole: line ends count as one byte; up to what is asked', () => {
  const message = `Subject: x\n\n${'word word\n'.repeat(40_000)}`
  assert.deepEqual(spamHits('full L eval:check_body_length(300000)\nfull M eval:check_body_length(399990)\nfull N eval:check_body_length(400010)', message), ['N'])
  assert.deepEqual(spamHits('full M eval:check_body_length(5)\nfull N eval:check_body_length(6)', 'Subject: x\n\nhello\n'), ['N'])
})

test('comments of HTML stand outside of styles and scripts; parts in base64', () => {
  const hits = (html: string) => spamHits("body COMMENT eval:html_text_match('comment', '<!.*?>')\nbody OTHER eval:html_text_match('comment', 'x')", `Content-Type: text/html\n\n${html}`)
  for (const html of ['<!-- x -->', '<p><!-- a>\n-->', '<STYLE>x</STYLE><!---->', '<script>1 < 2</script ><!--[if mso]>x<![endif]-->']) assert.deepEqual(hits(html), ['COMMENT'], html)
  for (const html of ['<!DOCTYPE html><p>x', '<style><!-- x --></style>', '<!-- open', '<!--\nx\n-->', '<script><!-- x -->', '<p>--></p>']) assert.deepEqual(hits(html), [], html)
  for (const html of ['<!--', '<style>', '<script></script', '<']) hits(html.repeat(100_000))
  assert.deepEqual(spamHits("rawbody B eval:check_for_mime('mime_base64_count')\nrawbody Q eval:check_for_mime('mime_qp_count')", 'Content-Transfer-Encoding: BASE64\n\nYWJj\n'), ['B'])
})

test('hostile fields throw nothing and take as long as they are', () => {
  const rules = "header DATES eval:check_for_shifted_date('1', 'undef')\nheader TO eval:check_for_to_in_subject('user')\nheader TOO eval:check_for_to_in_subject('address')\nheader CAPS eval:subject_is_all_caps()\nheader BYTES eval:check_illegal_chars('ALL','0.9','2')\nbody LOUD eval:check_for_uppercase('99', '100')"
  for (const head of [`Received: ${' 1 Jan'.repeat(30_000)}\nDate: ${'1 '.repeat(50_000)}`, `To: ${'a'.repeat(60_000)}@b.example\nSubject: ${'re: '.repeat(20_000)}`, `To: ann@x.example\nSubject: re:${' '.repeat(60_000)}x`, `Subject: ${'=?'.repeat(30_000)}`, `To: ${'[('.repeat(100)}@x.example\nSubject: [(`, 'Date: 99999999999 Jan 2024 99:99:99 +9999', 'Date: 0 Jan 0 00:00:00 +0000']) {
    assert.deepEqual(spamHits(rules, `${head}\n\nx\n`), [])
  }
})
