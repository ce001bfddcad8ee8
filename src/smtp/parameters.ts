/**
 * Checks the parameters of MAIL and RCPT against what EHLO offered and against
 * the grammar of each (RFC 1870, 6152, 3030, 3461, 4954, 6531, 8689). The values
 * themselves pass on unchanged.
 */
import type { EnvelopePath, Parameter } from './envelope.ts'
import type { Reply } from './reply.ts'
import * as replies from './reply-catalogue.ts'

interface Grammar {
  /** the EHLO keyword that offers it */
  readonly offeredBy: string
  /** null: no value may stand there */
  readonly value: RegExp | null
  readonly allowed: string
}

const XTEXT = /^(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-Fa-f]{2})*$/
/** RFC 4954 §5; `<>` is xtext as well */
const AUTH = /^(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-Fa-f]{2})+$/
const ORCPT = /^[A-Za-z0-9-]+;(?:[\x21-\x2a\x2c-\x3c\x3e-\xff]|\+[0-9A-Fa-f]{2})+$/

const MAIL: ReadonlyMap<string, Grammar> = new Map([
  ['SIZE', { offeredBy: 'SIZE', value: /^\d{1,20}$/, allowed: 'a number of bytes' }],
  ['BODY', { offeredBy: '8BITMIME', value: /^(?:7BIT|8BITMIME|BINARYMIME)$/i, allowed: '7BIT, 8BITMIME or BINARYMIME' }],
  ['SMTPUTF8', { offeredBy: 'SMTPUTF8', value: null, allowed: 'no value' }],
  ['RET', { offeredBy: 'DSN', value: /^(?:FULL|HDRS)$/i, allowed: 'FULL or HDRS' }],
  ['ENVID', { offeredBy: 'DSN', value: XTEXT, allowed: 'xtext' }],
  ['AUTH', { offeredBy: 'AUTH', value: AUTH, allowed: '<> or an address in xtext' }],
  ['REQUIRETLS', { offeredBy: 'REQUIRETLS', value: null, allowed: 'no value' }],
])

const RCPT: ReadonlyMap<string, Grammar> = new Map([
  ['NOTIFY', { offeredBy: 'DSN', value: /^(?:NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY))*)$/i, allowed: 'NEVER, or a list of SUCCESS, FAILURE, DELAY' }],
  ['ORCPT', { offeredBy: 'DSN', value: ORCPT, allowed: 'type;xtext' }],
])

/** The refusal to give, or undefined where all is well. */
export function checkParameters(verb: 'MAIL' | 'RCPT', envelope: EnvelopePath, offered: ReadonlyMap<string, string>): Reply | undefined {
  for (const parameter of envelope.parameters) {
    const refusal = checkOne(verb, parameter, offered)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

function checkOne(verb: 'MAIL' | 'RCPT', { keyword, value }: Parameter, offered: ReadonlyMap<string, string>): Reply | undefined {
  const grammar = (verb === 'MAIL' ? MAIL : RCPT).get(keyword)
  if (grammar === undefined || !offered.has(grammar.offeredBy)) return replies.parameterNotKnown(keyword)
  if (keyword === 'BODY' && value?.toUpperCase() === 'BINARYMIME' && !offered.has('BINARYMIME')) return replies.parameterNotKnown('BODY=BINARYMIME')
  const valid = grammar.value === null ? value === null : value !== null && grammar.value.test(value)
  return valid ? undefined : replies.parameterValue(keyword, grammar.allowed)
}
