/**
 * `if`, `ifplugin`, `ifhandler`, `else` and `endif` (Mail::SpamAssassin::Conf, "PREPROCESSING
 * OPTIONS"): which lines count. What is asked of SpamAssassin is answered for
 * Postern: a plugin is there where Postern does what its rules ask, wholly or in
 * part. Pure.
 */

/** The language of SpamAssassin and of Perl that is read. */
const VERSION = 4.000001
const PERL_VERSION = 5.036

const PLUGINS: ReadonlySet<string> = new Set(['Check', 'MIMEHeader', 'ReplaceTags', 'HTMLEval', 'MIMEEval', 'HeaderEval', 'BodyEval', 'SPF', 'DKIM', 'DMARC'])
const CAPABILITIES: ReadonlySet<string> = new Set([
  'Conf::perl_min_version_5010000', 'Conf::feature_bug6558_free', 'Conf::feature_yesno_takes_args', 'Conf::feature_dedup_regex', 'Conf::feature_header_address_parser',
  'Conf::feature_meta_rules_matching', 'Conf::feature_header_first_last', 'Conf::feature_header_match_many', 'Conf::feature_get_host', 'Conf::feature_compile_regexp', 'Conf::feature_local_tests_only', 'Conf::has_tflags_nosubject',
  'Plugin::BodyEval::has_check_body_length', 'Plugin::DKIM::has_arc', 'Plugin::MIMEHeader::has_all_header', 'Plugin::MIMEHeader::has_tflags_range', 'Plugin::MIMEHeader::has_tflags_concat', 'Plugin::MIMEHeader::has_tflags_multiple',
  'Plugin::SPF::has_check_for_spf_errors',
])
const PACKAGE = 'Mail::SpamAssassin::'

export function hasPlugin(name: string): boolean {
  return name.startsWith(`${PACKAGE}Plugin::`) && PLUGINS.has(name.slice(PACKAGE.length + 'Plugin::'.length))
}

export interface Skipped {
  readonly line: number
  /** what it asks for and Postern does not have; '' where nothing is missing */
  readonly lacks: string
}

interface Block {
  readonly line: number
  active: boolean
  /** one of its branches was taken */
  taken: boolean
  readonly lacks: string
}

const MAX_DEPTH = 100

export class Switches {
  readonly #blocks: Block[] = []
  #tooDeep = 0

  get active(): boolean {
    return this.#tooDeep === 0 && this.#blocks.every(({ active }) => active)
  }

  /** The outermost block that is the reason why lines do not count. */
  get skipped(): Skipped | undefined {
    return this.#blocks.find(({ active }) => !active)
  }

  /** Lines of blocks that are still open. */
  get open(): readonly number[] {
    return this.#blocks.map(({ line }) => line)
  }

  /** A problem, where there is one; then the block does not count. */
  begin(expression: string, line: number): string | undefined {
    if (this.#blocks.length >= MAX_DEPTH) {
      this.#tooDeep++
      return `blocks are nested more than ${MAX_DEPTH} deep`
    }
    const answer = evaluate(expression)
    const holds = typeof answer !== 'string' && answer.value !== 0
    this.#blocks.push({ line, active: holds, taken: holds || typeof answer === 'string', lacks: typeof answer === 'string' ? '' : answer.lacks })
    return typeof answer === 'string' ? answer : undefined
  }

  else(): string | undefined {
    const block = this.#tooDeep > 0 ? undefined : this.#blocks.at(-1)
    if (block === undefined) return this.#tooDeep > 0 ? undefined : 'else stands outside of any block'
    block.active = !block.taken
    block.taken = true
    return undefined
  }

  end(): string | undefined {
    if (this.#tooDeep > 0) this.#tooDeep--
    else if (this.#blocks.pop() === undefined) return 'endif ends nothing'
    return undefined
  }
}

interface Answer {
  readonly value: number
  readonly lacks: string
}

const TOKEN = /\s*(?:(plugin|has|can)\s*\(\s*([\w:]+)\s*\)|(\d+(?:\.\d*)?|\.\d+)|([a-z_]\w*)|(&&|\|\||[=!<>]=|[()<>!*/+-]))/giy
const MAX_TOKENS = 200

type Token = number | string

/** The value; or what is wrong with it. */
export function evaluate(expression: string): Answer | string {
  const lacks: string[] = []
  const tokens: Token[] = []
  const text = expression.trim()
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const from = TOKEN.lastIndex
    const found = TOKEN.exec(text)
    if (found === null || tokens.length >= MAX_TOKENS) return `the condition cannot be read from "${text.slice(from, from + 30).trim()}" on`
    const [, ask, name = '', number, word, sign] = found
    if (ask !== undefined) {
      const there = ask.toLowerCase() === 'plugin' ? hasPlugin(name) : name.startsWith(PACKAGE) && CAPABILITIES.has(name.slice(PACKAGE.length))
      if (!there) lacks.push(name.replace(PACKAGE, ''))
      tokens.push(Number(there))
    } else if (number !== undefined) tokens.push(Number(number))
    else if (word !== undefined) {
      const value = { version: VERSION, perl_version: PERL_VERSION, local_tests_only: 0 }[word.toLowerCase()]
      if (value === undefined) return `the condition asks for ${word}, which is not known`
      tokens.push(value)
    } else tokens.push(sign ?? '')
  }
  const parser = new Parser(tokens)
  const value = parser.value()
  return value === undefined || !parser.ended ? 'the condition is incomplete' : { value, lacks: lacks.join(', ') }
}

const LEVELS: readonly (readonly string[])[] = [['||'], ['&&'], ['==', '!='], ['<', '<=', '>', '>='], ['+', '-'], ['*', '/']]

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get ended(): boolean {
    return this.#at === this.#tokens.length
  }

  value(level = 0): number | undefined {
    const signs = LEVELS[level]
    if (signs === undefined) return this.#one()
    let left = this.value(level + 1)
    for (let sign = this.#tokens[this.#at]; left !== undefined && typeof sign === 'string' && signs.includes(sign); sign = this.#tokens[this.#at]) {
      this.#at++
      const right = this.value(level + 1)
      left = right === undefined ? undefined : calculate(left, sign, right)
    }
    return left
  }

  #one(): number | undefined {
    const token = this.#tokens[this.#at++]
    if (typeof token === 'number') return token
    if (token === '!' || token === '-') {
      const value = this.#one()
      return value === undefined ? undefined : token === '!' ? Number(value === 0) : -value
    }
    if (token !== '(') return undefined
    const value = this.value()
    return this.#tokens[this.#at++] === ')' ? value : undefined
  }
}

function calculate(left: number, sign: string, right: number): number {
  switch (sign) {
    case '||': return left !== 0 ? left : right
    case '&&': return left !== 0 ? right : left
    case '==': return Number(left === right)
    case '!=': return Number(left !== right)
    case '<': return Number(left < right)
    case '<=': return Number(left <= right)
    case '>': return Number(left > right)
    case '>=': return Number(left >= right)
    case '+': return left + right
    case '-': return left - right
    case '*': return left * right
    default: return right === 0 ? 0 : left / right
  }
}
