/**
 * What a judged message carries: Authentication-Results (RFC 8601), Received-SPF
 * (RFC 7208 §9.1), warnings, the spam fields, the prefix of its Subject; and
 * the fields that claim to be ours, which go. Everything else stays as it came.
 */
import type { DkimSignature } from '../auth/dkim.ts'
import type { IprevOutcome } from '../auth/iprev.ts'
import { authenticationResults, forgedResults, type AuthenticationResult, type ResultProperty } from '../message/authentication-results.ts'
import { editMessage, type EditedMessage } from '../message/edit.ts'
import type { StoredMessage } from '../message/message.ts'
import { receivedSpf } from '../message/received-spf.ts'
import { prefixSubject, type SubjectEdit } from '../message/subject-prefix.ts'
import { spamFields, warningField } from '../message/warning-fields.ts'
import { isUnknown, type Effect } from '../policy/decide.ts'
import { NOT_SEARCHED } from '../policy/outcome.ts'
import type { SessionFacts } from '../smtp/session-handler.ts'
import type { InboundSettings } from './inbound.ts'
import type { JudgedMessage } from './judgement.ts'

export interface TagInput {
  readonly session: SessionFacts
  readonly settings: InboundSettings
  readonly iprev: IprevOutcome | undefined
  /** null: the null reverse-path */
  readonly sender: string | null
  readonly judged: JudgedMessage
}

/** @param below fields that go under ours: `Received` */
export function tagMessage(body: StoredMessage, input: TagInput, below: Buffer): EditedMessage {
  const { settings, judged: { section, verdict } } = input
  const subject = subjectEdit(input)
  const fields = [
    ...verdict.warnings.map(warningField),
    ...spamFieldsOf(input),
    authenticationResults({ authservId: settings.hostname, results: resultsOf(input) }),
    ...receivedSpfOf(input),
  ]
  return editMessage(body, section, {
    prefix: Buffer.concat([Buffer.from(fields.join(''), 'latin1'), below, Buffer.from(subject.added, 'latin1')]),
    remove: forgedResults(section, settings.hostname),
    replace: subject.replace,
  })
}

/** Of what goes on as spam. What is set aside goes on once somebody says that it is none; then its signature is to hold. */
export function subjectEdit({ settings: { subjectPrefix }, judged: { section, verdict } }: Pick<TagInput, 'settings' | 'judged'>): SubjectEdit {
  const marked = subjectPrefix !== undefined && verdict.tagged && verdict.action !== 'quarantine'
  return marked ? prefixSubject(section, subjectPrefix) : { replace: [], added: '' }
}

/** Only a message that was scored says so; without a threshold nothing is spam. */
function spamFieldsOf({ judged: { verdict, thresholds } }: TagInput): readonly string[] {
  const { tag, quarantine, reject } = thresholds
  const required = tag ?? quarantine ?? reject
  if (required === undefined) return []
  // Several engines may not have answered.
  const tests = [...new Set(verdict.effects.flatMap((effect) => testsOf(effect)))]
  return [spamFields({ spam: verdict.tagged, score: verdict.score, required, tests })]
}

/** What counted: rules by their names, other checks by their own. And what could not be found out. */
function testsOf(one: Effect): readonly string[] {
  const { check, result, effect, points, parts } = one
  if (isUnknown(one)) return [`${check}_temperror`.toUpperCase()]
  // Not a warning: those stand for what has failed. Readers and their filters can tell it from a message that was searched.
  if (check === 'virus' && result.startsWith(NOT_SEARCHED)) return ['VIRUS_NOT_SEARCHED']
  if (effect !== 'score' && effect !== 'warn') return []
  if (parts !== undefined) return parts.filter((part) => part.points !== 0).map(({ name }) => name)
  if (points === 0) return []
  return [(result === 'fail' || result === 'yes' ? check : `${check}_${result}`).toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')]
}

function receivedSpfOf({ session, settings, sender, judged: { envelope: { spf } } }: TagInput): readonly string[] {
  if (spf === undefined || session.address === undefined) return []
  return [receivedSpf({
    result: spf.status, clientIp: session.address, envelopeFrom: sender, helo: session.helo ?? '', receiver: settings.hostname, identity: spf.scope,
    ...(spf.cause !== undefined && (spf.status === 'temperror' || spf.status === 'permerror') ? { problem: spf.cause } : {}),
  })]
}

function resultsOf(input: TagInput): readonly AuthenticationResult[] {
  const { judged: { findings } } = input
  const dkim = findings.dkim === undefined ? [] : findings.dkim.signatures.length === 0
    ? [{ method: 'dkim', result: findings.dkim.status, ...reasonOf(findings.dkim.cause), properties: [] }]
    : findings.dkim.signatures.map(dkimResult)
  return [...iprevResult(input), ...spfResult(input), ...dkim, ...dmarcResult(input), ...arcResult(input)]
}

/** RFC 8601 §2.7.3 */
function iprevResult({ iprev, session }: TagInput): readonly AuthenticationResult[] {
  if (iprev === undefined || session.address === undefined || iprev.status === 'none') return []
  const properties = [property('policy', 'iprev', session.address)]
  switch (iprev.status) {
    case 'pass': return [{ method: 'iprev', result: 'pass', comment: iprev.confirmed[0] ?? '', properties }]
    case 'not-confirmed': return [{ method: 'iprev', result: 'fail', comment: iprev.ptr[0] ?? '', properties }]
    // RFC 8601 §2.7.3: without a name the result is permerror
    case 'no-ptr': return [{ method: 'iprev', result: 'permerror', comment: 'no PTR record', properties }]
    case 'temperror': return [{ method: 'iprev', result: 'temperror', properties }]
  }
}

/** RFC 8601 §2.7.2 */
function spfResult({ sender, judged: { envelope: { spf } } }: TagInput): readonly AuthenticationResult[] {
  if (spf === undefined) return []
  const property1 = spf.scope === 'mailfrom' ? property('smtp', 'mailfrom', sender ?? '') : property('smtp', 'helo', spf.domain)
  return [{ method: 'spf', result: spf.status, ...(spf.status === 'temperror' || spf.status === 'permerror' ? reasonOf(spf.cause ?? '') : {}), properties: [property1] }]
}

/** RFC 8601 §2.7.1, RFC 6008 */
function dkimResult(one: DkimSignature): AuthenticationResult {
  return {
    method: 'dkim', result: one.status, ...reasonOf(one.cause),
    properties: [
      property('header', 'd', one.domain), property('header', 's', one.selector), property('header', 'a', one.algorithm),
      ...(one.signatureStart === '' ? [] : [property('header', 'b', one.signatureStart)]),
    ].filter(({ value }) => value !== ''),
  }
}

/** RFC 9989, and RFC 8601 §2.4 on why a local policy says otherwise */
function dmarcResult({ judged: { findings: { dmarc, outcomes } } }: TagInput): readonly AuthenticationResult[] {
  if (dmarc === undefined) return []
  const decided = outcomes.find(({ check }) => check === 'dmarc')
  const rescued = dmarc.status === 'fail' && decided?.status === 'none' ? { reason: decided.result } : {}
  return [{
    method: 'dmarc', result: dmarc.status, ...rescued, ...(dmarc.recordName === null ? {} : { comment: `p=${dmarc.policy}` }),
    properties: dmarc.domain === '' ? [] : [property('header', 'from', dmarc.domain)],
  }]
}

/** RFC 8617 §6.1 */
function arcResult({ judged: { findings: { arc } } }: TagInput): readonly AuthenticationResult[] {
  if (arc === undefined || arc.status === 'none') return []
  return [{ method: 'arc', result: arc.status, ...reasonOf(arc.cause), ...(arc.sealers.length === 0 ? {} : { comment: `sealed by ${arc.sealers.slice(0, 5).join(', ')}` }), properties: [] }]
}

function reasonOf(cause: string): { readonly reason?: string } {
  return cause === '' ? {} : { reason: cause }
}

function property(ptype: ResultProperty['ptype'], name: string, value: string): ResultProperty {
  return { ptype, property: name, value }
}
