/**
 * Reads files of SpamAssassin's one after another and keeps what they say of
 * rules: later lines take the place of earlier ones, as there. Files that others
 * include are handed in with the rest. What cannot be read or honoured is noted
 * with file and line; nothing throws. Bounds: 20,000 rules, 16 includes inside
 * each other. Pure.
 */
import { dirname, isAbsolute, join } from 'node:path'
import { readCfLines } from './cf-lines.ts'
import type { CfLine } from './cf-lines.ts'
import { noTags } from './replace-tags.ts'
import type { Tags } from './replace-tags.ts'
import { hasPlugin, Switches } from './switches.ts'
import { hintOn, isSetting, noteOnSetting } from './elsewhere.ts'
import { readScores } from './scores.ts'
import { withoutEdges } from './texts/bytes.ts'

export interface CfFile {
  readonly source: string
  /** bytes as characters (latin1) */
  readonly text: string
}

export const PATTERN_KINDS = ['header', 'body', 'rawbody', 'full', 'uri', 'mimeheader'] as const
export type TestKind = (typeof PATTERN_KINDS)[number] | 'meta'

export interface CfPlace {
  readonly source: string
  readonly line: number
}

export interface Definition extends CfPlace {
  readonly id: string
  readonly kind: TestKind
  readonly value: string
  /** a comment stood behind it */
  readonly cut?: true
}

export interface CfNote extends CfPlace {
  readonly rule: string | undefined
  readonly problem: string
}

export interface Directives {
  readonly tests: ReadonlyMap<string, Definition>
  readonly scores: ReadonlyMap<string, number>
  readonly scorePlaces: ReadonlyMap<string, CfPlace>
  readonly flags: ReadonlyMap<string, readonly string[]>
  readonly descriptions: ReadonlyMap<string, string>
  readonly tags: Tags
  /** rules whose patterns hold tags */
  readonly tagged: ReadonlySet<string>
  /** rules of blocks that do not count, and of kinds that are not known */
  readonly passedOver: ReadonlySet<string>
  /** rules that cannot be honoured */
  readonly problems: readonly CfNote[]
  /** lines that are no rules, blocks that were skipped */
  readonly notes: readonly CfNote[]
}

const MAX_RULES = 20_000
const MAX_INCLUDES = 16
const NAME = /^[A-Za-z_]\w{0,126}$/
/** They define rules of plugins that Postern does not have. */
const FOREIGN_RULES: ReadonlySet<string> = new Set(['uri_detail', 'askdns', 'uridnsbl', 'uridnssub', 'urirhsbl', 'urirhssub', 'urinsrhsbl', 'urinsrhssub', 'urifullnsrhsbl', 'urifullnsrhssub', 'asn_lookup_rule'])
/** Plugins have kinds of their own: a name, and a pattern or code behind it. */
const RULE_OF_SOME_KIND = /^[A-Za-z_]\w*\s+(?:[^\s/]+\s*[=!]~\s*)?(?:\/.*\/[a-z]*$|m[^\w\s]|eval:)/
const DEFINES: ReadonlySet<string> = new Set([...PATTERN_KINDS, 'meta', ...FOREIGN_RULES])

/** A file a step. @param files in their order; `included`: by path, those that `include` lines name */
export function* readDirectives(files: readonly CfFile[], included: ReadonlyMap<string, CfFile>, scoreSet: number): Generator<void, Directives> {
  const reader = new DirectiveReader(included, scoreSet)
  for (const file of files) {
    reader.file(file, 0)
    yield
  }
  return reader.result()
}

const MOST_NAMED = 5

/** The first names of a list, and how many more there are. */
export function named(names: readonly string[]): string {
  return names.slice(0, MOST_NAMED).join(', ') + (names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '')
}

export function includedPath(from: string, value: string): string {
  return isAbsolute(value) ? value : join(dirname(from), value)
}

class DirectiveReader {
  readonly #included: ReadonlyMap<string, CfFile>
  readonly #scoreSet: number
  readonly #tests = new Map<string, Definition>()
  readonly #scores = new Map<string, number>()
  readonly #scorePlaces = new Map<string, CfPlace>()
  readonly #flags = new Map<string, readonly string[]>()
  readonly #descriptions = new Map<string, string>()
  readonly #tags = noTags()
  readonly #tagged = new Set<string>()
  readonly #passedOver = new Set<string>()
  readonly #problems: CfNote[] = []
  readonly #notes: CfNote[] = []
  /** of the file that is read: keyword → first line, how often */
  #settings = new Map<string, { readonly line: number; count: number }>()
  /** by the line where they begin: what they ask for, and the rules in them */
  #skippedBlocks = new Map<number, { readonly lacks: string; readonly rules: Set<string> }>()
  #source = ''
  /** it was told that there are too many rules */
  #full = false

  constructor(included: ReadonlyMap<string, CfFile>, scoreSet: number) {
    this.#included = included
    this.#scoreSet = scoreSet
  }

  result(): Directives {
    return {
      tests: this.#tests, scores: this.#scores, scorePlaces: this.#scorePlaces, flags: this.#flags, descriptions: this.#descriptions, tags: this.#tags, tagged: this.#tagged,
      passedOver: this.#passedOver, problems: this.#problems, notes: this.#notes,
    }
  }

  file({ source, text }: CfFile, depth: number): void {
    const outer = { source: this.#source, settings: this.#settings, skipped: this.#skippedBlocks }
    this.#source = source
    this.#settings = new Map()
    this.#skippedBlocks = new Map()
    const switches = new Switches()
    for (const entry of readCfLines(text)) {
      if ('problem' in entry) this.#note(entry.line, entry.problem)
      else this.#line(entry, switches, depth)
    }
    for (const line of switches.open) this.#note(line, 'the block is not closed; it ends with the file')
    for (const [line, { lacks, rules }] of this.#skippedBlocks) {
      this.#note(line, `the block is skipped, for it asks for ${lacks}, which Postern does not have; in it: ${named([...rules])}${hintOn('plugins', lacks.replace(/^Plugin::/, ''))}`)
    }
    for (const [keyword, { line, count }] of this.#settings) {
      this.#note(line, `${keyword}${count > 1 ? ` (${count} lines)` : ''} is passed over: ${noteOnSetting(keyword) ?? ''}`)
    }
    this.#source = outer.source
    this.#settings = outer.settings
    this.#skippedBlocks = outer.skipped
  }

  #line(entry: CfLine, switches: Switches, depth: number): void {
    const { line, keyword, value } = entry
    let problem: string | undefined
    switch (keyword) {
      case 'if': problem = switches.begin(value, line); break
      case 'ifplugin':
      case 'ifhandler': problem = switches.begin(`plugin(${value.split(/\s/)[0] ?? ''})`, line); break
      // With more on the line they are none, for SpamAssassin too.
      case 'else': problem = value === '' ? switches.else() : 'else is to stand alone; the line has no effect'; break
      case 'endif': problem = value === '' ? switches.end() : 'endif is to stand alone; the line has no effect'; break
      default:
        if (switches.active) this.#directive(entry, depth)
        else this.#skipped(entry, switches)
        return
    }
    if (problem !== undefined) this.#note(line, problem)
  }

  /** A block without rules changes no rule, and needs no word. */
  #skipped({ keyword, value }: CfLine, switches: Switches): void {
    if (!DEFINES.has(keyword)) return
    const [id = ''] = value.split(/\s/)
    this.#passedOver.add(id)
    const reason = switches.skipped
    if (reason === undefined || reason.lacks === '') return
    const block = this.#skippedBlocks.get(reason.line)
    if (block === undefined) this.#skippedBlocks.set(reason.line, { lacks: reason.lacks, rules: new Set([id]) })
    else block.rules.add(id)
  }

  #directive(entry: CfLine, depth: number): void {
    const { line, keyword, value } = entry
    switch (keyword) {
      case 'header':
      case 'body':
      case 'rawbody':
      case 'full':
      case 'uri':
      case 'mimeheader':
      case 'meta': return this.#definition(keyword, entry)
      case 'score': return this.#score(entry)
      case 'describe': return this.#named(entry, (id, text) => void this.#descriptions.set(id, text))
      case 'tflags': return this.#named(entry, (id, text) => void this.#flags.set(id, text.toLowerCase().split(/[\s,]+/)))
      case 'include': return this.#include(entry, depth)
      case 'replace_start': this.#tags.start = value === '' ? '<' : value.slice(0, 20); return
      case 'replace_end': this.#tags.end = value === '' ? '>' : value.slice(0, 20); return
      case 'replace_tag': return this.#tag(this.#tags.tag, entry)
      case 'replace_pre': return this.#tag(this.#tags.pre, entry)
      case 'replace_inter': return this.#tag(this.#tags.inter, entry)
      case 'replace_post': return this.#tag(this.#tags.post, entry)
      case 'replace_rules':
        for (const id of value.split(/\s+/)) this.#tagged.add(id)
        return
      case 'loadplugin':
      case 'tryplugin':
        if (hasPlugin(value.split(/\s/)[0] ?? '')) return
        break
      default:
        if (FOREIGN_RULES.has(keyword) || (/^\w+$/.test(keyword) && !isSetting(keyword) && RULE_OF_SOME_KIND.test(value))) {
          const [id = ''] = value.split(/\s/)
          this.#passedOver.add(id)
          this.#problems.push({ source: this.#source, line, rule: id, problem: `${keyword} rules are not honoured: ${noteOnSetting(keyword) ?? ''}` })
          return
        }
    }
    this.#setting(keyword, line)
  }

  #setting(keyword: string, line: number): void {
    if (noteOnSetting(keyword) === undefined) return
    if (/[^!-~]/.test(keyword)) {
      this.#note(line, 'the line is passed over: its keyword holds a character that is none of ASCII, such as a blank out of a web page')
      return
    }
    const known = this.#settings.get(keyword)
    if (known === undefined) this.#settings.set(keyword, { line, count: 1 })
    else known.count++
  }

  #named({ line, keyword, value }: CfLine, use: (id: string, text: string) => void): void {
    const blank = value.search(/[ \t-\r]/)
    const id = blank < 0 ? value : value.slice(0, blank)
    if (!NAME.test(id) || blank < 0) this.#note(line, `${keyword} needs the name of a rule (letters, digits and underscores, no digit first, at most 127) and what it is to be`)
    else use(id, withoutEdges(value.slice(blank)))
  }

  #definition(kind: TestKind, entry: CfLine): void {
    this.#named(entry, (id, value) => {
      const { line, cut } = entry
      // The last one holds, and stands where it stands.
      if (!this.#tests.delete(id) && this.#tests.size >= MAX_RULES) {
        if (!this.#full) this.#problems.push({ source: this.#source, line, rule: id, problem: `there are more than ${MAX_RULES} rules; this one and those behind it are not used` })
        this.#full = true
        this.#passedOver.add(id)
        return
      }
      this.#tests.set(id, { id, kind, value, source: this.#source, line, ...(cut && { cut }) })
    })
  }

  #score(entry: CfLine): void {
    this.#named(entry, (id, value) => {
      const score = readScores(value, this.#scoreSet, this.#scores.get(id))
      if (typeof score === 'string') this.#problems.push({ source: this.#source, line: entry.line, rule: id, problem: score })
      else {
        this.#scores.set(id, score)
        this.#scorePlaces.set(id, { source: this.#source, line: entry.line })
      }
    })
  }

  #tag(tags: Map<string, string>, entry: CfLine): void {
    this.#named(entry, (name, text) => void tags.set(name, text))
  }

  #include({ line, value }: CfLine, depth: number): void {
    const file = this.#included.get(includedPath(this.#source, value))
    if (file === undefined) this.#note(line, `${value} is not there, or cannot be read`)
    else if (depth >= MAX_INCLUDES) this.#note(line, `files include each other more than ${MAX_INCLUDES} deep`)
    else this.file(file, depth + 1)
  }

  #note(line: number, problem: string): void {
    this.#notes.push({ source: this.#source, line, rule: undefined, problem })
  }
}
