/**
 * The expression of a `meta` rule: names of rules, numbers, `!`, arithmetic,
 * comparison, `&&`, `||`, `? :`, brackets, and `rules_matching(GLOB)`
 * (Mail::SpamAssassin::Conf, "meta"). `and`, `or`, `not` are names of rules, as
 * there. Read into a tree; bounds: 5000 words, 100 brackets deep. Pure.
 */

export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'rule'; readonly id: string }
  /** names of rules with `*` and `?` */
  | { readonly kind: 'matching'; readonly glob: string }
  | { readonly kind: 'not' | 'minus'; readonly of: Expression }
  /** the values of `&&` and `||` are those of their parts, as in Perl */
  | { readonly kind: 'and' | 'or' | 'sum'; readonly of: readonly Expression[] }
  | { readonly kind: '*' | '/' | '>' | '>=' | '<' | '<=' | '=' | '!='; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'choose'; readonly by: Expression; readonly yes: Expression; readonly no: Expression }

const TOKEN = /\s*(?:rules_matching\(\s*([\w*?]+)\s*\)|(\d+(?:\.\d*)?)|([A-Za-z_]\w*)|(&&|\|\||[=!<>]=|[()<>!*/+?:-]))/y
const MAX_TOKENS = 5000
const MAX_NESTING = 100
const TOO_DEEP = `the expression is nested more than ${MAX_NESTING} deep`

type Token = { readonly sign: string } | Expression

/** The tree; or what is wrong. */
export function readExpression(text: string): Expression | string {
  const tokens: Token[] = []
  const plain = text.trim()
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < plain.length) {
    const from = TOKEN.lastIndex
    const found = TOKEN.exec(plain)
    if (found === null) return `the expression cannot be read from "${plain.slice(from, from + 30).trim()}" on`
    if (tokens.length >= MAX_TOKENS) return `the expression has more than ${MAX_TOKENS} words`
    const [, glob, number, id, sign = ''] = found
    tokens.push(glob !== undefined ? { kind: 'matching', glob } : number !== undefined ? { kind: 'number', value: Number(number) } : id !== undefined ? { kind: 'rule', id } : { sign })
  }
  const parser = new ExpressionParser(tokens)
  const tree = parser.choice(0)
  if (tree === undefined || !parser.ended) return parser.problem
  return depthOf(tree) > MAX_NESTING ? TOO_DEEP : tree
}

/** How many of its parts lie in each other. */
export function depthOf(tree: Expression): number {
  let depth = 0
  // Where many are compared or multiplied in a row, each is a part of the next.
  for (let level: readonly Expression[] = [tree]; level.length > 0; level = level.flatMap(partsOf)) depth++
  return depth
}

function partsOf(tree: Expression): readonly Expression[] {
  switch (tree.kind) {
    case 'number':
    case 'rule':
    case 'matching': return []
    case 'not':
    case 'minus': return [tree.of]
    case 'and':
    case 'or':
    case 'sum': return tree.of
    case 'choose': return [tree.by, tree.yes, tree.no]
    default: return [tree.left, tree.right]
  }
}

class ExpressionParser {
  problem = 'the expression is incomplete, or two values stand side by side'
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get ended(): boolean {
    return this.#at === this.#tokens.length
  }

  choice(depth: number): Expression | undefined {
    const by = this.#list(depth, 'or')
    if (by === undefined || this.#take('?') === undefined) return by
    const yes = depth < MAX_NESTING ? this.choice(depth + 1) : undefined
    if (yes === undefined || this.#take(':') === undefined) return undefined
    const no = this.choice(depth + 1)
    return no === undefined ? undefined : { kind: 'choose', by, yes, no }
  }

  #list(depth: number, kind: 'or' | 'and'): Expression | undefined {
    const parts: Expression[] = []
    do {
      const part = kind === 'or' ? this.#list(depth, 'and') : this.#comparison(depth, true)
      if (part === undefined) return undefined
      parts.push(part)
    } while (this.#take(kind === 'or' ? '||' : '&&') !== undefined)
    return alone(parts) ?? { kind, of: parts }
  }

  #comparison(depth: number, equality: boolean): Expression | undefined {
    const next = (): Expression | undefined => (equality ? this.#comparison(depth, false) : this.#sum(depth))
    let left = next()
    for (;;) {
      const sign = left === undefined ? undefined : equality ? this.#take('==', '!=') : this.#take('<', '<=', '>', '>=')
      if (left === undefined || sign === undefined) return left
      const right = next()
      left = right === undefined ? undefined : { kind: sign === '==' ? '=' : sign as '!=' | '<' | '<=' | '>' | '>=', left, right }
    }
  }

  #sum(depth: number): Expression | undefined {
    const parts: Expression[] = []
    let sign: string | undefined = '+'
    do {
      const part = this.#product(depth)
      if (part === undefined) return undefined
      parts.push(sign === '-' ? { kind: 'minus', of: part } : part)
      sign = this.#take('+', '-')
    } while (sign !== undefined)
    return alone(parts) ?? { kind: 'sum', of: parts }
  }

  #product(depth: number): Expression | undefined {
    let left = this.#one(depth)
    for (;;) {
      const sign = left === undefined ? undefined : this.#take('*', '/')
      if (left === undefined || sign === undefined) return left
      const right = this.#one(depth)
      left = right === undefined ? undefined : { kind: sign as '*' | '/', left, right }
    }
  }

  #one(depth: number): Expression | undefined {
    if (depth >= MAX_NESTING) {
      this.problem = TOO_DEEP
      return undefined
    }
    const token = this.#tokens[this.#at]
    if (token === undefined) return undefined
    this.#at++
    if ('kind' in token) return token
    switch (token.sign) {
      case '!':
      case '-': {
        const of = this.#one(depth + 1)
        return of === undefined ? undefined : { kind: token.sign === '!' ? 'not' : 'minus', of }
      }
      case '+': return this.#one(depth + 1)
      case '(': {
        const inside = this.choice(depth + 1)
        return this.#take(')') === undefined ? undefined : inside
      }
      default: return undefined
    }
  }

  #take(...signs: readonly string[]): string | undefined {
    const token = this.#tokens[this.#at]
    if (token === undefined || 'kind' in token || !signs.includes(token.sign)) return undefined
    this.#at++
    return token.sign
  }
}

function alone(parts: readonly Expression[]): Expression | undefined {
  return parts.length === 1 ? parts[0] : undefined
}
