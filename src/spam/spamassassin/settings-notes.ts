/**
 * What is said of lines that are no rules: where Postern has such a thing
 * itself, or that it has not. Pure.
 */

/** Lines that need no word: they say nothing about what a rule asks or counts. */
const SILENT: ReadonlySet<string> = new Set(['test', 'priority', 'reuse', 'require_version', 'enable_compat', 'lang', 'publish'])

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^required_(?:score|hits)$/, 'set in postern.yaml: policy.spam'],
  [/^rewrite_header|^(?:rewrite_subject|subject_tag)$/, 'set in postern.yaml: subject_prefix'],
  [/^(?:def_)?(?:whitelist|welcomelist|unwhitelist|unwelcomelist)_|^enlist_addrlist$|^more_spam_to|^all_spam_to/, "wanted senders stand in Postern's allow list"],
  [/^(?:un)?(?:blacklist|blocklist)_|^enlist_uri_host|^delist_uri_host/, 'unwanted senders and hosts are a matter of rules and of policy in postern.yaml'],
  [/^(?:use_)?bayes|^use_learner/, 'Postern has a classifier of its own: spam.bayes in postern.yaml'],
  [/^(?:urirhs|uridns|urinsrhs|urifullns|urins)|^uridnsbl|^skip_uribl|^askdns|^hashbl/, 'lists of domains are set in postern.yaml: spam.uri_lists'],
  [/^(?:dns_|skip_rbl|rbl_|clear_dns|dns_local)/, 'set in postern.yaml: dns, policy.dnsbl'],
  [/^(?:trusted|internal|msa)_networks|^clear_(?:trusted|internal|msa)_networks|^always_trust|^originating_ip|^clear_originating/, 'Postern takes the client that speaks to it for the sender; see listeners in postern.yaml'],
  [/^(?:report|add_header|remove_header|clear_headers|clear_report|unsafe_report|clear_unsafe|report_contact|report_hostname|fold_headers)/, 'Postern adds X-Spam-* fields of its own and leaves messages whole'],
  [/^(?:loadplugin|tryplugin|loadplugin_.*)$/, 'plugins of SpamAssassin are not loaded'],
  [/^(?:ok_locales|ok_languages|inactive_languages)$/, "languages are a matter of Postern's own rules"],
  [/^(?:score_set|lock_method|txrep|auto_whitelist|auto_welcomelist|use_auto|awl_|shortcircuit|user_)/, 'Postern has no such thing'],
]

/** undefined: it needs no word */
export function noteOnSetting(keyword: string): string | undefined {
  if (SILENT.has(keyword)) return undefined
  return HINTS.find(([names]) => names.test(keyword))?.[1] ?? 'not known to Postern'
}
