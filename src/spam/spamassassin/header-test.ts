/**
 * What a `header` or `mimeheader` rule asks: `Name =~ /…/`, `Name !~ /…/`,
 * `exists:Name`, with `:raw`, `:addr`, `:name`, `:first`, `:last`, `[if-unset: …]`
 * (Mail::SpamAssassin::Conf, "header"). A field that is not there is an empty
 * text. What cannot be honoured is said. Pure.
 */
import type { TextSource } from '../rules/condition.ts'
import { writtenPattern } from './pattern-text.ts'
import type { WrittenPattern } from './pattern-text.ts'
import { withoutEdges } from './texts/bytes.ts'
import { HEADER_PARTS, SPECIAL_HEADERS } from './texts/spam-text.ts'
import type { HeaderPart, PartRange } from './texts/spam-text.ts'

export interface PatternTest {
  readonly in: TextSource
  readonly pattern: WrittenPattern
  /** it holds where the pattern does not match */
  readonly negated: boolean
}

export type HeaderTest = PatternTest | { readonly exists: TextSource }

const TEST = /^([^\s=!]+(?:=[^\s~]+)*)\s*([=!]~)\s*(.*)$/s
const UNSET = '[if-unset:'
/** Only the first relay is known for certain: a pattern that looks at no other begins like this. */
const FIRST_RELAY = /^\^(?:\\\[|\[\^\\?\]\]\+)/
/** Longer ones are not looked through for what they look at; real ones are far shorter. */
const MAX_RELAY_PATTERN = 4096
const SEVERAL: ReadonlyMap<string, readonly string[]> = new Map([['ToCc', ['to', 'cc']], ['MESSAGEID', ['resent-message-id', 'x-message-id', 'message-id']]])
/** SpamAssassin looks at no more. */
const MAX_PARTS = 1000
const FIELD_NAME = /^[\w.-]+$/
/** No fields: plugins of SpamAssassin work them out. */
const WORKED_OUT = /^X-(?:Relay-Countries(?:-\w+)?|Languages(?:-\w+)?|ASN(?:-Route)?)$/i

export function readHeaderTest(value: string): HeaderTest | string {
  const exists = /^exists:(\S+?):?$/i.exec(value)?.[1]
  if (exists !== undefined) return existence(exists)
  const { test, unset } = withoutUnset(value)
  const found = TEST.exec(test)
  if (found === null) return 'it asks nothing; a test is Name =~ /…/, Name !~ /…/ or exists:Name'
  const [, name = '', operator, text = ''] = found
  const source = headerSource(name, unset)
  if (typeof source === 'string') return source
  const pattern = writtenPattern(text)
  if (typeof pattern === 'string') return pattern
  if (name.startsWith('X-Spam-Relays-') && !looksAtFirstRelay(pattern.source)) return 'it looks at further relays, and Postern knows for certain only the client that speaks to it'
  return { in: source, pattern, negated: operator === '!~' }
}

/** What is asked, and what a field counts as that is not there. */
function withoutUnset(value: string): { readonly test: string; readonly unset: string } {
  const at = value.lastIndexOf(UNSET)
  const unset = at < 0 ? '' : withoutEdges(value.slice(at + UNSET.length))
  return unset.indexOf(']') === unset.length - 1 && unset !== '' ? { test: value.slice(0, at).trimEnd(), unset: withoutEdges(unset.slice(0, -1)) } : { test: value, unset: '' }
}

/** @param flags of its `tflags` line */
export function readPartHeaderTest(value: string, flags: readonly string[]): PatternTest | string {
  const { test, unset } = withoutUnset(value)
  const found = TEST.exec(test)
  if (found === null) return 'it asks nothing; a test is Name =~ /…/ or Name !~ /…/'
  const [, written = '', operator, text = ''] = found
  const [name = '', ...modifiers] = written.replace(/:$/, '').split(':')
  const strange = modifiers.find((modifier) => modifier !== 'raw')
  if (strange !== undefined) return `:${strange} is not known here`
  const pattern = writtenPattern(text)
  if (typeof pattern === 'string') return pattern
  const raw = modifiers.length > 0
  if (raw && /\\(?:[nrtv]|x0[9abd])/i.test(pattern.source)) return 'it looks at the folds of fields of parts, which are not kept'
  const parts = partRange(flags)
  return { in: { kind: 'spamassassin', text: { of: 'part-header', name: name === 'ALL' ? name : name.toLowerCase(), raw, ...(unset !== '' && { unset }), ...(parts !== undefined && { parts }) } }, pattern, negated: operator === '!~' }
}

/** `range=2`, `range=2-`, `range=-4`, `range=2-4`, `concat`; undefined: all parts, each by itself. */
function partRange(flags: readonly string[]): PartRange | undefined {
  const joined = flags.includes('concat')
  const [, first = '', dash = '', last = ''] = flags.map((flag) => /^range=(\d*)(-?)(\d*)$/.exec(flag)).find((found) => found !== null) ?? []
  if (first === '' && last === '') return joined ? { from: 1, to: MAX_PARTS, joined } : undefined
  return { from: Number(first), to: dash === '' ? Number(first) : last === '' ? MAX_PARTS : Number(last), joined }
}

function existence(name: string): HeaderTest | string {
  const several = SEVERAL.get(name)
  if (several !== undefined) return { exists: { kind: 'header', names: several, form: 'raw', which: 'each' } }
  if ((SPECIAL_HEADERS as readonly string[]).includes(name) || name.includes(':')) return `whether there is ${name} is not known`
  return FIELD_NAME.test(name) ? { exists: { kind: 'header', names: [name.toLowerCase()], form: 'raw', which: 'each' } } : `${name} is no name of a field`
}

function headerSource(written: string, unset: string): TextSource | string {
  const [name = '', ...modifiers] = written.replace(/:$/, '').split(':')
  if (!FIELD_NAME.test(name)) return `${written} is no name of a field`
  const special = (SPECIAL_HEADERS as readonly string[]).includes(name)
  if (!special && /^(?:ALL-(?:TRUSTED|INTERNAL|UNTRUSTED|EXTERNAL)|X-Spam-Relays-\w+)$/i.test(name)) return `${name} is not known to Postern`
  if (WORKED_OUT.test(name)) return `${name} is worked out by a plugin of SpamAssassin's; what a message says itself under that name is anybody's word`
  let raw = false
  let which: 'each' | 'first' | 'last' = 'each'
  let take: HeaderPart | undefined
  for (const modifier of modifiers) {
    if (modifier === 'raw') raw = true
    else if (modifier === 'first' || modifier === 'last') which = modifier
    else if ((HEADER_PARTS as readonly string[]).includes(modifier)) take = take === 'addr' || take === undefined ? modifier as HeaderPart : take
    else return `:${modifier} behind the name of a field is not known to Postern`
  }
  if (special && take !== undefined && name !== 'EnvelopeFrom' && name !== 'ToCc') return `:${take} of ${name} is not known to Postern`
  return { kind: 'spamassassin', text: { of: 'header', name: special ? name : name.toLowerCase(), raw, take, which, unset } }
}

function looksAtFirstRelay(source: string): boolean {
  return source.length <= MAX_RELAY_PATTERN && FIRST_RELAY.test(source) && !/\\\]|\$/.test(source.replace(/^\^\\\[/, '').replace(/\[\^(?:\\.|[^\]\\])*\\?\](?:[^\]\\]|\\.)*?\]|\[\^\\?\]\]/g, ''))
}
