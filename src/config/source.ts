/**
 * YAML text to a tree that knows where each value stands, so that an error can
 * name line and column. Aliases are resolved here, within bounds, so that a
 * small file cannot become a large one. Every scalar is text as it was
 * written; only `true` and `false` are told apart, and `null` or nothing.
 *
 * Trouble (syntax, duplicate keys, unknown tags, too deep, too large) is
 * returned as problems with places, never thrown.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { Alias, Document, ParsedNode } from 'yaml'
import { NOWHERE, quote } from './problem.ts'
import type { KeyPath, Place } from './problem.ts'

export const MAX_SOURCE_BYTES = 1024 * 1024
const MAX_DEPTH = 16
const MAX_NODES = 50_000
const MAX_SYNTAX_PROBLEMS = 3

export type Located =
  | { readonly kind: 'scalar'; readonly value: string | boolean | null; readonly place: Place }
  | { readonly kind: 'list'; readonly items: readonly Located[]; readonly place: Place }
  | LocatedMap

export interface LocatedMap {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<string, LocatedEntry>
  readonly place: Place
}

export interface LocatedEntry {
  /** where the key stands */
  readonly place: Place
  readonly value: Located
}

export interface SourceProblem {
  readonly place: Place
  readonly key: KeyPath
  readonly problem: string
}

/** `root` is undefined where the text is not a mapping that could be read on. */
export interface ParsedSource {
  readonly root: LocatedMap | undefined
  readonly problems: readonly SourceProblem[]
}

/** Thrown inside this file only, to leave the recursion at once. */
class BoundExceeded extends Error {}

export function parseSource(text: string): ParsedSource {
  if (Buffer.byteLength(text) > MAX_SOURCE_BYTES) {
    return refused(NOWHERE, `is larger than ${MAX_SOURCE_BYTES} bytes`)
  }
  const lines = new LineCounter()
  let document: ReturnType<typeof parseDocument>
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, resolveKnownTags: false, logLevel: 'error', uniqueKeys: false })
  } catch (error) {
    // The parser recurses: brackets nested by the thousand exhaust its stack.
    if (error instanceof RangeError) return refused(NOWHERE, 'is nested too deeply to be read')
    throw error
  }
  const reader = new TreeReader(document as Document.Parsed, lines)
  // A duplicate key leaves the rest readable, and is reported there; any other error leaves nothing to rely on.
  const errors = document.errors.filter(({ code }) => code !== 'DUPLICATE_KEY')
  // One line that stands wrong makes an error of every word behind it.
  for (const error of errors.slice(0, MAX_SYNTAX_PROBLEMS)) reader.complain(reader.place(error.pos[0]), [], syntaxProblem(error.code, error.message))
  for (const warning of document.warnings) reader.complain(reader.place(warning.pos[0]), [], `YAML: ${warning.message}`)
  if (errors.length > 0) return { root: undefined, problems: reader.problems }
  return reader.readRoot()
}

function refused(place: Place, problem: string): ParsedSource {
  return { root: undefined, problems: [{ place, key: [], problem }] }
}

function syntaxProblem(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') return 'more than one YAML document in the file'
  return `not valid YAML: ${message}${message.endsWith('at node end') ? '; do this line and the one before it begin in the column that they should?' : ''}`
}

class TreeReader {
  readonly problems: SourceProblem[] = []
  readonly #document: Document.Parsed
  readonly #lines: LineCounter
  /** anchors of what was read so far: an alias means the last one before it */
  readonly #anchors = new Map<string, ParsedNode>()
  /** what each alias means; the parser's own search reads the whole document for each */
  readonly #targets = new Map<Alias, ParsedNode | undefined>()
  #expanding = false
  #nodes = 0

  constructor(document: Document.Parsed, lines: LineCounter) {
    this.#document = document
    this.#lines = lines
  }

  place(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset)
    return { line, column: col, variable: undefined }
  }

  complain(place: Place, key: KeyPath, problem: string): void {
    this.problems.push({ place, key, problem })
  }

  readRoot(): ParsedSource {
    const contents: unknown = this.#document.contents
    const isEmpty = contents === null || (isScalar(contents) && contents.value === null)
    if (isEmpty) return { root: { kind: 'map', entries: new Map(), place: NOWHERE }, problems: this.problems }
    try {
      const root = this.#read(this.#document.contents, [])
      if (root.kind === 'map') return { root, problems: this.problems }
      this.complain(root.place, [], `a configuration is a mapping of keys to values, found ${root.kind === 'list' ? 'a list' : 'a single value'}`)
    } catch (error) {
      if (!(error instanceof BoundExceeded)) throw error
      this.complain(NOWHERE, [], error.message)
    }
    return { root: undefined, problems: this.problems }
  }

  #read(node: ParsedNode | null, key: KeyPath): Located {
    if (isAlias(node)) return this.#readAlias(node, key)
    if (++this.#nodes > MAX_NODES) throw new BoundExceeded(`holds more than ${MAX_NODES} values once its aliases are resolved`)
    if (key.length > MAX_DEPTH) throw new BoundExceeded(`is nested deeper than ${MAX_DEPTH} levels once its aliases are resolved`)
    const place = node === null ? NOWHERE : this.place(node.range[0])
    if (node === null) return { kind: 'scalar', value: null, place }
    if (node.anchor !== undefined && !this.#expanding) this.#anchors.set(node.anchor, node)
    if (isMap(node)) return this.#readMap(node, key)
    if (isSeq(node)) return { kind: 'list', items: node.items.map((item, i) => this.#read(item, [...key, i])), place }
    return { kind: 'scalar', value: scalarValue(node), place }
  }

  #readAlias(node: Alias.Parsed, key: KeyPath): Located {
    if (!this.#targets.has(node)) this.#targets.set(node, this.#anchors.get(node.source))
    const target = this.#targets.get(node)
    if (target === undefined) {
      const place = this.place(node.range[0])
      this.complain(place, key, `no anchor &${node.source} stands before its alias`)
      return { kind: 'scalar', value: null, place }
    }
    const outer = this.#expanding
    this.#expanding = true
    const value = this.#read(target, key)
    this.#expanding = outer
    return value
  }

  #readMap(node: YamlMap, key: KeyPath): LocatedMap {
    const entries = new Map<string, LocatedEntry>()
    for (const pair of node.items) {
      const place = pair.key === null ? this.place(node.range[0]) : this.place(pair.key.range[0])
      if (!isScalar(pair.key)) {
        this.complain(place, key, 'a key must be a word')
        continue
      }
      const name = keyName(pair.key)
      if (entries.has(name)) {
        this.complain(place, [...key, name], 'the key stands twice in the same mapping')
        continue
      }
      const value = this.#read(pair.value, [...key, name])
      entries.set(name, { place, value: value.place === NOWHERE ? { ...value, place } : value })
    }
    return { kind: 'map', entries, place: this.place(node.range[0]) }
  }
}

interface YamlMap {
  readonly items: readonly { readonly key: ParsedNode | null; readonly value: ParsedNode | null }[]
  readonly range: readonly [number, number, number]
}

interface YamlScalar {
  readonly value: unknown
  readonly source?: string | undefined
}

/** Numbers stay as they were written: `0600` is not 600, and `1e3` is not a thousand. */
function scalarValue(node: YamlScalar): string | boolean | null {
  if (typeof node.value === 'boolean' || typeof node.value === 'string' || node.value === null) return node.value
  return sourceText(node)
}

function keyName(node: YamlScalar): string {
  return typeof node.value === 'string' ? node.value : sourceText(node)
}

/** A plain scalar that the parser has made a number of, as it was written. */
function sourceText(node: YamlScalar): string {
  return node.source ?? JSON.stringify(node.value)
}

/** A value as an error shows it. */
export function showValue(value: Raw): string {
  if (value === null) return 'nothing'
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return quote(value)
  return isMapping(value) ? 'a mapping' : 'a list'
}

/** A value without its place: what formats read. */
export type Raw = string | boolean | null | readonly Raw[] | ReadonlyMap<string, Raw>

export function isMapping(raw: Raw): raw is ReadonlyMap<string, Raw> {
  return raw instanceof Map
}

export function toRaw(node: Located): Raw {
  switch (node.kind) {
    case 'scalar': return node.value
    case 'list': return node.items.map(toRaw)
    case 'map': return new Map(Array.from(node.entries, ([name, entry]) => [name, toRaw(entry.value)]))
  }
}

/** The place of a path, or of its nearest ancestor that stands in the file. */
export function locate(root: Located, path: KeyPath): Place {
  let place = root.place
  let node: Located | undefined = root
  for (const part of path) {
    if (node.kind === 'map') {
      const entry: LocatedEntry | undefined = node.entries.get(String(part))
      if (entry === undefined) return place
      place = entry.place
      node = entry.value
    } else if (node.kind === 'list' && typeof part === 'number') {
      node = node.items[part]
      if (node === undefined) return place
      place = node.place
    } else return place
  }
  return place
}
