/**
 * The keys of `spam`: rules about content, learning, lists for links, what is
 * remembered of senders, other engines. A part of `schema.ts`, which says how
 * to read it. What their results may cost stands under `policy`.
 */
import { engine } from './format-engine.ts'
import { domainSuffix, points } from './format-policy.ts'
import { learnFolder, negativePoints, ruleScore } from './format-spam.ts'
import { uriList } from './format-uri-list.ts'
import { duration, flag, integer, listOf, oneOf } from './format.ts'
import { filePath } from './format-names.ts'
import { key, optional } from './leaf.ts'
import type { Group } from './leaf.ts'

export const SPAM = {
  shipped_rules: key(flag, { doc: 'The rules that come with Postern.', default: 'true' }),
  rules: key(listOf(filePath, { min: 0, max: 100, type: 'list of paths' }), {
    doc: 'Rules of your own: files, or folders of `*.yaml` files. A rule with the name of one that comes with Postern replaces it. docs/rules.md says how they are written.', default: '', defaultText: 'none',
  }),
  scores: key(listOf(ruleScore, { min: 0, max: 10_000, type: 'list of scores' }), {
    doc: 'Scores in place of those that rules bring: each the name of a rule and its points, as in `SUBJECT_SHOUTS 0.5`. 0 switches a rule off.', default: '', defaultText: 'none',
  }),
  spamassassin: key(listOf(filePath, { min: 0, max: 100, type: 'list of paths' }), {
    doc: "SpamAssassin's rule files (`*.cf`), or folders of them, such as `/etc/spamassassin`; they are read as they are. `postern check` lists what cannot be honoured.", default: '', defaultText: 'none',
  }),
  bayes: {
    store: key(oneOf('embedded', 'redis'), { doc: 'Where what is learned is kept: `embedded` in the state directory of this machine, or in `redis`, which several machines share. Each machine scores by a model of its own, made of it.', default: 'embedded' }),
    min_messages: key(integer({ min: 1, max: 1_000_000, unit: 'messages' }), { doc: 'The classifier says nothing before it has learned so many wanted and so many unwanted messages.', default: '200' }),
    max_tokens: key(integer({ min: 10_000, max: 20_000_000, unit: 'tokens' }), { doc: 'Tokens that it keeps; those that are rare or have not been seen for long go first. A million take some 5 MB of each worker.', default: '1000000' }),
    expire: key(duration({ min: '7d', max: '3650d' }), { doc: 'A token that no learned message has had for so long is forgotten.', default: '365d' }),
    learn: key(listOf(learnFolder, { min: 0, max: 100, type: 'list of folders' }), {
      doc: 'Maildir folders that teach: what users put there is learned, each message once, and learned anew where it is moved to another. `*` stands for one name in the path.', default: '', defaultText: 'none',
    }),
    auto_learn: key(oneOf('off', 'on'), { doc: 'Learn what is beyond doubt without being told: only messages whose author is authenticated (DMARC) as wanted, and only by other checks than the classifier itself.', default: 'off' }),
    auto_learn_spam: key(points, { doc: 'Points, without those of the classifier, from which a message is learned as spam.', default: '15' }),
    auto_learn_ham: key(negativePoints, { doc: 'Points, without those of the classifier, up to which an authenticated message is learned as wanted.', default: '-2' }),
  },
  uri_lists: key(listOf(uriList, { min: 0, max: 30, type: 'list of lists' }), {
    doc: 'Lists in the DNS that are asked for what a message links to. Like `policy.dnsbl.lists` each counts only while it proves itself, and wants a resolver of your own. Read the terms of each before you use it.', default: '', defaultText: 'none',
  }),
  uri_lists_skip: optional(listOf(domainSuffix, { min: 0, max: 10_000, type: 'list of domains' }), {
    doc: 'Domains that no list is asked for, with all below them.', defaultText: 'those of document formats: w3.org, schema.org and the like',
  }),
  correspondents: {
    remember: key(duration({ min: '1d', max: '3650d' }), { doc: 'How long somebody is known whom a user who logs in has written to.', default: '180d' }),
  },
  senders: {
    remember: key(duration({ min: '7d', max: '3650d' }), { doc: "How long an authenticated sender domain is remembered after its last message: when it was first seen, how much it sent and how much of that was spam. Rules ask for it.", default: '365d' }),
  },
  engines: key(listOf(engine, { min: 0, max: 16, type: 'list of engines' }), {
    doc: 'Other spam engines and virus scanners, all asked at once. One that does not answer is set aside for a while, and mail flows without it.', default: '', defaultText: 'none',
  }),
} satisfies Group
