/**
 * The value of From by the grammar and nothing beside it: mailbox-list and
 * address-list with groups (RFC 5322 §3.4, RFC 6854), in UTF-8 (RFC 6532 §3.2),
 * dots in a display name (§4.1: every client writes them).
 *
 * Null where a reader of mail might see it in another way: the rest of the
 * obsolete syntax of §4.4 (routes, empty places in a list), comments or blanks
 * within an address, control characters, a line end that is no fold, anything
 * that is not closed. One pass, no recursion. Nothing throws.
 */
export interface GrammarMailbox {
  /** as a reader takes it: without quotes */
  readonly localPart: string
  /** as written; a literal with its brackets */
  readonly domain: string
}

export interface GrammarReading {
  readonly mailboxes: readonly GrammarMailbox[]
  /** display names of mailboxes and groups, without quotes, encoded words as they are */
  readonly names: readonly string[]
  /** those within others are part of them */
  readonly comments: readonly string[]
}

interface Token {
  readonly kind: 'atom' | 'quoted' | 'literal' | 'special'
  readonly text: string
  /** what stands between this and the token before */
  readonly gap: 'nothing' | 'blank' | 'comment'
}

/** atext (RFC 5322 §3.2.3, RFC 6532 §3.2) and dots */
const ATOM = /[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.\u00a1-\u{10ffff}]+/uy
const BLANK = /(?:[ \t]|\r?\n(?=[ \t]))+/y
const QUOTED = /"((?:[^"\\\x00-\x08\x0a-\x1f\x7f-\x9f]|\\[\x20-\x7e\t]|\r?\n(?=[ \t]))*)"/y
const LITERAL = /\[[^[\]\\@\s\x00-\x20\x7f-\x9f]*\]/y

export function readByGrammar(value: string): GrammarReading | null {
  const comments: string[] = []
  const tokens = tokensOf(value, comments)
  const read = tokens === null ? null : new Parser(tokens).list()
  return read === null ? null : { ...read, comments }
}

function tokensOf(value: string, comments: string[]): readonly Token[] | null {
  const tokens: Token[] = []
  let gap: Token['gap'] = 'nothing'
  let at = 0
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(value)
    if (found !== null) at = pattern.lastIndex
    return found
  }
  const token = (kind: Token['kind'], text: string): void => {
    tokens.push({ kind, text, gap })
    gap = 'nothing'
  }
  while (at < value.length) {
    const c = value[at] ?? ''
    if (match(BLANK) !== null) gap = gap === 'comment' ? gap : 'blank'
    else if (c === '(') {
      const end = commentEnd(value, at)
      if (end < 0) return null
      comments.push(unquoted(value.slice(at + 1, end)))
      gap = 'comment'
      at = end + 1
    } else if (c === '"') {
      const quoted = match(QUOTED)
      if (quoted === null) return null
      token('quoted', unquoted(quoted[1] ?? ''))
    } else if (c === '[') {
      const literal = match(LITERAL)
      if (literal === null) return null
      token('literal', literal[0])
    } else if ('<>@,:;'.includes(c)) {
      at++
      token('special', c)
    } else {
      const atom = match(ATOM)
      if (atom === null) return null
      token('atom', atom[0])
    }
  }
  return tokens
}

/** Index of the bracket that closes the comment (RFC 5322 §3.2.2: they nest); -1 where none does, or where there is what no comment holds. */
function commentEnd(value: string, start: number): number {
  let depth = 0
  for (let i = start; i < value.length; i++) {
    const c = value.charCodeAt(i)
    if (c === 0x5c) i++
    else if (c === 0x28) depth++
    else if (c === 0x29 && --depth === 0) return i
    else if (c < 0x20 && c !== 0x09 && !(c === 0x0d && value[i + 1] === '\n') && !(c === 0x0a && /[ \t]/.test(value[i + 1] ?? ''))) return -1
  }
  return -1
}

/** RFC 5322 §3.2.1; a fold within is not shown. */
function unquoted(content: string): string {
  return content.replace(/\r?\n(?=[ \t])/g, '').replace(/\\(.)/gs, '$1')
}

class Parser {
  readonly #tokens: readonly Token[]
  readonly #names: string[] = []
  readonly #mailboxes: GrammarMailbox[] = []
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  list(): Omit<GrammarReading, 'comments'> | null {
    do {
      if (!this.#address()) return null
    } while (this.#take(','))
    return this.#at === this.#tokens.length ? { mailboxes: this.#mailboxes, names: this.#names } : null
  }

  /** RFC 6854 §2.1: a group may stand in From. */
  #address(): boolean {
    const words = this.#words()
    if (words.length === 0 || !this.#take(':')) return this.#mailbox(words)
    this.#shown(words)
    if (this.#take(';')) return true
    do {
      if (!this.#mailbox(this.#words())) return false
    } while (this.#take(','))
    return this.#take(';')
  }

  #mailbox(words: readonly Token[]): boolean {
    if (this.#take('<')) {
      this.#shown(words)
      const [local, ...more] = this.#words()
      return more.length === 0 && local !== undefined && local.gap !== 'comment' && this.#addrSpec(local) && this.#tokens[this.#at]?.gap !== 'comment' && this.#take('>')
    }
    const [local, ...more] = words
    return more.length === 0 && local !== undefined && this.#addrSpec(local)
  }

  /** From the @ on. Blanks and comments around it are obsolete (RFC 5322 §4.4), and clients differ in them. */
  #addrSpec(local: Token): boolean {
    const at = this.#tokens[this.#at]
    const domain = this.#tokens[this.#at + 1]
    if (at?.text !== '@' || at.kind !== 'special' || at.gap !== 'nothing' || domain === undefined || domain.gap !== 'nothing') return false
    if (domain.kind !== 'literal' && (domain.kind !== 'atom' || !isDotAtom(domain.text))) return false
    if (local.kind !== 'quoted' && !isDotAtom(local.text)) return false
    this.#at += 2
    this.#mailboxes.push({ localPart: local.text, domain: domain.text })
    return true
  }

  #words(): readonly Token[] {
    const start = this.#at
    while (['atom', 'quoted'].includes(this.#tokens[this.#at]?.kind ?? '')) this.#at++
    return this.#tokens.slice(start, this.#at)
  }

  #shown(words: readonly Token[]): void {
    if (words.length > 0) this.#names.push(words.map(({ text }) => text).join(' '))
  }

  #take(special: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'special' || token.text !== special) return false
    this.#at++
    return true
  }
}

function isDotAtom(text: string): boolean {
  return !text.startsWith('.') && !text.endsWith('.') && !text.includes('..')
}
