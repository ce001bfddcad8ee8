/**
 * Tests that SpamAssassin makes by code (`eval:name(…)`) and Postern can answer
 * as truly, out of what it knows itself. All others are not honoured. Pure.
 */
import type { Condition, Quantity } from '../rules/condition.ts'
import { hintOn } from './elsewhere.ts'
import type { SpamQuestion } from './texts/spam-text.ts'

const CALL = /^(?:rbl)?eval:(\w+)\s*\((.*)\)$/s

/** What it asks; or why it cannot be asked. */
export function readCodeTest(value: string): Quantity | Condition | string {
  const call = CALL.exec(value.trim())
  if (call === null) return 'it calls nothing; a test by code is eval:name(…)'
  const [, name = '', list = ''] = call
  const words = wordsOf(list)
  const question = words === undefined ? undefined : questionOf(name, words)
  if (question !== undefined) return question
  return `it asks by code of SpamAssassin's, ${name}()${hintOn('tests', name)}`
}

/** Words in quotes, or plain ones; undefined: something else stands there. */
function wordsOf(list: string): readonly string[] | undefined {
  const words: string[] = []
  let rest = list.trim()
  while (rest !== '') {
    const found = /^(?:'([^']*)'|"([^"]*)"|([\w.+-]+))\s*(?:,\s*|$)/.exec(rest)
    if (found === null) return undefined
    words.push(found[1] ?? found[2] ?? found[3] ?? '')
    rest = rest.slice(found[0].length)
  }
  return words
}

function asked(question: SpamQuestion): Quantity {
  return { kind: 'spamassassin', question }
}

function fact(name: 'spf' | 'dkim' | 'arc' | 'dmarc', ...is: readonly string[]): Quantity {
  return asked({ ask: 'fact', name, is })
}

function within(left: Quantity, least: number, most: number): Condition {
  return { kind: 'all', of: [{ kind: 'compare', left, operator: '>=', right: { kind: 'number', value: least } }, { kind: 'compare', left, operator: '<=', right: { kind: 'number', value: most } }] }
}

/** Beyond any that there is, and yet a number that is written as one. */
const MOST_SECONDS = 1e15

/** Hours, or `undef` for no bound. */
function shifted(from: string, below: string | undefined): Quantity | undefined {
  const [least, most] = [from, below ?? ''].map((word) => (word === 'undef' ? undefined : word === '' ? NaN : Number(word) * 3600))
  if (Number.isNaN(least) || Number.isNaN(most)) return undefined
  return asked({ ask: 'date-shift', from: least ?? -MOST_SECONDS, below: most ?? MOST_SECONDS })
}

const SPF = /^check_for_spf_(pass|fail|softfail|neutral|none|temperror|permerror)$/

function questionOf(name: string, words: readonly string[]): Quantity | Condition | undefined {
  const [first = '', second, third] = words
  const spf = SPF.exec(name)?.[1]
  if (spf !== undefined) return fact('spf', spf)
  switch (name) {
    case 'check_dkim_signed': return fact('dkim', 'pass', 'fail', 'temperror')
    case 'check_dkim_valid': return asked({ ask: 'dkim-domain', of: words.map((word) => word.toLowerCase()) })
    case 'check_dkim_valid_author_sig': return words.length === 0 ? asked({ ask: 'dkim-domain', of: 'author' }) : undefined
    case 'check_dkim_valid_envelopefrom': return words.length === 0 ? asked({ ask: 'dkim-domain', of: 'envelope' }) : undefined
    case 'check_arc_signed': return fact('arc', 'pass', 'fail', 'temperror')
    case 'check_arc_valid': return fact('arc', 'pass')
    case 'check_dmarc_pass': return fact('dmarc', 'pass')
    case 'check_dmarc_missing': return fact('dmarc', 'none')
    case 'html_test': return first === 'html' ? asked({ ask: 'html' }) : undefined
    case 'check_for_mime_html': return asked({ ask: 'html-parts' })
    case 'check_for_mime_html_only': return asked({ ask: 'html-only' })
    case 'check_iframe_src': return asked({ ask: 'iframes' })
    case 'check_for_missing_to_header': return { kind: 'compare', left: asked({ ask: 'fields', names: ['to'] }), operator: '=', right: { kind: 'number', value: 0 } }
    case 'html_tag_exists': return /^[a-z][a-z0-9]*$/i.test(first) ? asked({ ask: 'html-tag', name: first.toLowerCase() }) : undefined
    case 'check_for_mime': return first === 'mime_attachment' ? asked({ ask: 'attachments' }) : first === 'mime_base64_count' ? asked({ ask: 'base64-parts' }) : undefined
    // Any comment; what else may be asked of its text is not known.
    case 'html_text_match': return first === 'comment' && second === '<!.*?>' ? asked({ ask: 'html-comments' }) : undefined
    case 'check_header_count_range': return within(asked({ ask: 'fields', names: [first.toLowerCase()] }), Number(second ?? 0), third === undefined ? Infinity : Number(third))
    case 'check_for_shifted_date': return shifted(first, second)
    case 'check_illegal_chars': return /^[\w-]+$/.test(first) && words.length === 3 ? asked({ ask: 'illegal-characters', name: first === 'ALL' ? first : first.toLowerCase(), share: Number(second), count: Number(third) }) : undefined
    case 'subject_is_all_caps': return asked({ ask: 'subject-capitals' })
    case 'check_for_to_in_subject': return first === 'user' || first === 'address' ? asked({ ask: 'addressee-in-subject', form: first }) : undefined
    case 'check_for_uppercase': return words.length === 2 ? asked({ ask: 'body-capitals', above: Number(first), most: Number(second) }) : undefined
    case 'check_body_length': return Number(first) > 0 ? { kind: 'compare', left: asked({ ask: 'body-length' }), operator: '<=', right: { kind: 'number', value: Number(first) } } : undefined
    default: return undefined
  }
}
