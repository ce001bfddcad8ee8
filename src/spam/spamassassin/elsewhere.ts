/**
 * What SpamAssassin's files set up and Postern has elsewhere, or has not: where to
 * look, for one who has only those files. By keyword of a line, name of a rule,
 * name of a plugin, and name of a test by code. Pure.
 */

interface Topic {
  readonly hint: string
  readonly settings?: RegExp
  readonly rules?: RegExp
  readonly plugins?: RegExp
  readonly tests?: RegExp
}

/** Lines that need no word: they say nothing about what a rule asks or counts. */
const SILENT: ReadonlySet<string> = new Set(['test', 'priority', 'reuse', 'require_version', 'enable_compat', 'lang', 'publish'])

/** The first that fits. */
const TOPICS: readonly Topic[] = [
  { settings: /^required_(?:score|hits)$/, hint: 'set in postern.yaml: policy.spam' },
  { settings: /^rewrite_|^subject_tag$|^subjprefix$/, hint: 'set in postern.yaml, for all that is tagged: policy.subject_prefix' },
  {
    settings: /^(?:all_spam|more_spam)_to$|^(?:un)?(?:white|welcome)list_to$/, rules: /^USER_IN_(?:ALL|MORE)_SPAM_TO$|^USER_IN_(?:WHITE|WELCOME)LIST_TO$/,
    hint: 'recipients who want all mail have an exception in postern.yaml: policy.exceptions, with when: { recipient: … }',
  },
  {
    settings: /^(?:def_)?(?:un)?(?:whitelist|welcomelist)_(?!uri)/, rules: /^USER_IN_(?:DEF_)?(?:WHITE|WELCOME|DKIM_|SPF_)|^SUBJECT_IN_(?:WHITE|WELCOME)/, plugins: /^(?:WLBLEval|WelcomeListSubject|WhiteListSubject|AccessDB)$/, tests: /(?:white|welcome)list|^check_access_database/,
    hint: 'wanted senders stand in Postern\'s allow list, by what their mail proves and not by From: policy.allow, edited by "postern allow add"',
  },
  {
    settings: /^(?:un)?(?:blacklist|blocklist)_|(?:white|welcome)list_uri_host$|^(?:enlist|delist)_/, rules: /^(?:USER|SUBJECT|URI_HOST)_IN_B/, tests: /(?:black|block)list|^check_uri_host|addrlist/,
    hint: 'unwanted senders, recipients and hosts are a matter of rules of your own: spam.rules, or header rules here, with points beyond policy.spam.reject',
  },
  {
    settings: /^(?:use_)?bayes|^use_learner$|^learn_/, rules: /^BAYES_\d/, plugins: /^(?:Bayes|AutoLearnThreshold)$/, tests: /^check_bayes/,
    hint: 'Postern has a classifier of its own: spam.bayes, "postern train"',
  },
  {
    settings: /^(?:uridnsbl|uridnssub|urirhs|urinsrhs|urifullnsrhs|uri_block|skip_uribl|hashbl|askdns|asn_)/, rules: /^_*URIBL_|_SURBL$/, plugins: /^(?:URIDNSBL|HashBL|AskDNS|ASN|Spamcop)$/, tests: /^check_uridnsbl|^check_hashbl/,
    hint: 'lists of domains, addresses and hashes that mail links to are asked by Postern itself: spam.uri_lists',
  },
  {
    settings: /^(?:dns_|skip_rbl|rbl_|clear_dns|dnswl_)/, rules: /^_*RCVD_IN_|^_*DNSWL_/, plugins: /^(?:DNSEval|RelayEval)$/, tests: /^check_rbl|^check_dns|^check_for_rbl/,
    hint: 'lists of addresses in the DNS are asked by Postern itself: policy.dnsbl, policy.dnswl (its resolver: dns.servers)',
  },
  {
    settings: /^(?:use_)?(?:razor|pyzor|dcc)|^(?:razor|pyzor|dcc)_|^ixhash/, rules: /^(?:RAZOR2?|PYZOR|DCC)_/, plugins: /^(?:Razor2|Pyzor|DCC|iXhash2?)$/, tests: /^check_(?:razor|pyzor|dcc)/,
    hint: 'Postern asks no such service; SpamAssassin itself may be asked beside its rules: spam.engines',
  },
  { settings: /^(?:trusted|internal|msa)_networks$|^clear_(?:trusted|internal|msa)_networks$/, rules: /^ALL_TRUSTED$/, hint: 'the sender is the client that speaks to Postern; a relay of your own in front of it: listeners[].trust, machines of your own: policy.exempt' },
  { settings: /^always_trust|^originating_ip|^clear_originating|^envelope_sender_header$/, hint: 'client and sender are known from the connection, and not from fields' },
  { settings: /^(?:spf_|dkim_|adsp_|unwhitelist_auth|dmarc_|check_dmarc)/, rules: /^_*(?:SPF|DKIM|DMARC|ARC|KAM_DMARC)_/, plugins: /^(?:SPF|DKIM|DMARC|Dmarc|AuthRes)$/, hint: 'Postern checks SPF, DKIM and DMARC itself: policy.spf, policy.dkim, policy.dmarc, and their points: policy.weights' },
  { settings: /^(?:use_)?(?:txrep|awl|auto_whitelist|auto_welcomelist)|^auto_(?:white|welcome)list_|^(?:txrep|awl)_/, rules: /^(?:AWL|TXREP)$/, plugins: /^(?:AWL|TxRep)$/, hint: 'Postern remembers senders by itself: spam.correspondents, spam.senders' },
  { settings: /^(?:report|add_header|remove_header|clear_headers|clear_report|unsafe_report|clear_unsafe|fold_headers|version_tag)/, hint: 'Postern adds X-Spam-* fields of its own and leaves messages whole' },
  { settings: /^(?:loadplugin|tryplugin|loadplugin_.*)$/, hint: 'plugins of SpamAssassin are not loaded' },
  { settings: /^(?:ok_locales|ok_languages|inactive_languages|textcat_)/, plugins: /^TextCat$/, rules: /^UNWANTED_LANGUAGE|^CHARSET_FARAWAY/, hint: 'what a language counts is said by rules of your own: spam.rules, when: { language: … }' },
  { settings: /^(?:util_rb_|clear_util_rb)/, hint: 'Postern has a list of public suffixes of its own' },
  { settings: /^normalize_charset$/, hint: 'text is always made UTF-8' },
  { settings: /^shortcircuit/, plugins: /^Shortcircuit$/, hint: 'every rule is asked that may still change something' },
  { settings: /^(?:time_limit|body_part_scan_size|rawbody_part_scan_size|lock_method|rule_)/, hint: 'Postern has bounds and files of its own' },
  { settings: /^(?:user_|allow_user_rules|score_set|default_prefs)/, hint: 'there are no preferences of users; domains may have thresholds of their own: domains' },
  { settings: /^(?:redirector_pattern|url_redirector|url_shortener|clear_url_shortener|max_short_url|max_redir)/, plugins: /^(?:DecodeShortURLs|Redirectors)$/, hint: 'Postern follows no link' },
]

/** It is known what it is. */
export function isSetting(keyword: string): boolean {
  return SILENT.has(keyword) || TOPICS.some(({ settings }) => settings?.test(keyword))
}

/** undefined: it needs no word */
export function noteOnSetting(keyword: string): string | undefined {
  if (SILENT.has(keyword)) return undefined
  return TOPICS.find(({ settings }) => settings?.test(keyword))?.hint ?? 'not known to Postern'
}

/** ; and where to look, or nothing */
export function hintOn(what: 'rules' | 'plugins' | 'tests', name: string): string {
  const hint = TOPICS.find((topic) => topic[what]?.test(name))?.hint
  return hint === undefined ? '' : `; ${hint}`
}
