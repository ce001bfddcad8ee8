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
