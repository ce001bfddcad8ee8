/**
 * Reads one group of the schema (the top level, a listener, a hop) out of the
 * file and the environment. `convict` merges defaults, file and environment
 * and calls the formats; this file finds unknown keys and remembers where each
 * value came from. Nothing is thrown for a bad value: problems go to the
 * collector, and the value is undefined.
 */
import convict from 'convict'
import type { Format } from './format.ts'
import { Leaf, leavesOf, variableName } from './leaf.ts'
import type { Group, ReadableOf } from './leaf.ts'
import { nearest, suggestion } from './nearest.ts'
import { formatKey, NOWHERE } from './problem.ts'
import type { ConfigurationError, KeyPath, Place } from './problem.ts'
import { isMapping, locate, toRaw } from './source.ts'
import type { LocatedMap, Raw } from './source.ts'

/** Errors and warnings of one configuration, and the places of its values. */
export class Collector {
  readonly errors: ConfigurationError[] = []
  readonly warnings: { readonly place: Place; readonly key: string; readonly text: string }[] = []
  readonly source: string
  readonly environment: Readonly<Record<string, string>>
  /** variable to key, of every key that exists in this configuration */
  readonly variables = new Map<string, string>()
  readonly #root: LocatedMap
  readonly #fromEnvironment = new Map<string, string>()
  readonly #ambiguous = new Set<string>()

  constructor(source: string, root: LocatedMap, environment: Readonly<Record<string, string>>) {
    this.source = source
    this.#root = root
    this.environment = environment
  }

  error(path: KeyPath, problem: string, allowed?: string): void {
    this.errors.push({ source: this.source, ...this.place(path), key: formatKey(path), problem, allowed })
  }

  warn(path: KeyPath, text: string): void {
    this.warnings.push({ place: this.place(path), key: formatKey(path), text })
  }

  place(path: KeyPath): Place {
    for (let length = path.length; length > 0; length--) {
      const variable = this.#fromEnvironment.get(formatKey(path.slice(0, length)))
      if (variable !== undefined) return { ...NOWHERE, variable }
    }
    return locate(this.#root, path)
  }

  /** Registers a key's variable; two keys with one name would be set together without anybody's wish. */
  offer(variable: string, path: KeyPath, section: KeyPath): void {
    const other = this.variables.get(variable)
    const key = formatKey(path)
    if (other !== undefined && !this.#ambiguous.has(formatKey(section))) {
      this.#ambiguous.add(formatKey(section))
      this.error(section, `its environment variable ${variable} would also be that of ${other}`, 'a name that differs in letters or digits')
    }
    this.variables.set(variable, key)
    if (this.environment[variable] !== undefined) this.#fromEnvironment.set(key, variable)
  }
}

export interface SectionInput {
  readonly node: LocatedMap | undefined
  /** its path in the document */
  readonly at: KeyPath
  /** its words in the names of variables; undefined: no variable sets anything of it */
  readonly variableWords: readonly string[] | undefined
  /** keys that others read */
  readonly others?: readonly string[]
  /** keys that no variable sets: they give the section its identity */
  readonly withoutVariable?: readonly string[]
  /** what to say of an unknown key, where more is known than a similar word; begins with `; ` */
  readonly hint?: (name: string) => string | undefined
}

export interface Section<G extends Group> {
  readonly at: KeyPath
  /** what could not be read is undefined, and a problem of it was collected */
  readonly values: ReadableOf<G>
  /** whether the file or the environment sets the key, or any key of the group; `tls`, `tls.cert` */
  readonly isGiven: (key: string) => boolean
}

export function readSection<G extends Group>(group: G, input: SectionInput, collector: Collector): Section<G> {
  const given = new Set<string>()
  const fromFile = collect({ group, section: group, input, collector, given }, input.node, [])
  const problems = new Set<string>()
  const record = (path: readonly string[], format: Format<unknown>, raw: Raw): void => {
    const reading = format.read(raw)
    if (reading.status === 'read') return
    problems.add(path.join('.'))
    for (const p of reading.problems) collector.error([...input.at, ...path, ...p.at], p.problem, p.allowed)
  }
  for (const { path, leaf, raw } of fromFile.mappings) record(path, leaf.format, raw)

  const config = convict<Record<string, unknown>>(
    convictSchema(group, { input, collector, record, given, path: [] }),
    { env: collector.environment, args: [] })
  config.load(fromFile.tree)
  validate(config, () => problems.size)
  const values = readValues(group, [], (path, leaf) => {
    const raw = config.get(path.join('.')) as Raw
    if (problems.has(path.join('.')) || raw === null) return undefined
    const reading = leaf.format.read(raw)
    return reading.status === 'read' ? reading.value : undefined
  })
  return { at: input.at, values: values as ReadableOf<G>, isGiven: (key) => given.has(key) }
}

interface Walk {
  readonly group: Group
  /** the whole section that the group is in */
  readonly section: Group
  readonly input: SectionInput
  readonly collector: Collector
  readonly given: Set<string>
}

interface Found {
  /** for convict: known keys only, scalars and lists */
  readonly tree: Record<string, unknown>
  /** mappings where a value belongs; convict would walk into them */
  readonly mappings: { path: readonly string[]; leaf: Leaf<unknown>; raw: Raw }[]
}

function collect(walk: Walk, node: LocatedMap | undefined, at: readonly string[]): Found {
  const found: Found = { tree: {}, mappings: [] }
  for (const [name, entry] of node?.entries ?? []) {
    const known = Object.hasOwn(walk.group, name) ? walk.group[name] : undefined
    const path = [...at, name]
    if (known === undefined) {
      if (at.length === 0 && walk.input.others?.includes(name)) continue
      const names = [...Object.keys(walk.group), ...(at.length === 0 ? walk.input.others ?? [] : [])]
      const hint = walk.input.hint?.(name) ?? elsewhere(walk.section, name) ?? suggestion(name, names)
      walk.collector.error([...walk.input.at, ...path], `unknown key${hint}`, names.join(', '))
    } else if (known instanceof Leaf) {
      walk.given.add(path.join('.'))
      const raw = toRaw(entry.value)
      if (raw === null) walk.collector.error([...walk.input.at, ...path], 'the key has no value; leave it out for its default', known.format.allowed)
      else if (isMapping(raw)) found.mappings.push({ path, leaf: known, raw })
      else found.tree[name] = raw
    } else if (entry.value.kind === 'map') {
      const inner = collect({ ...walk, group: known }, entry.value, path)
      found.tree[name] = inner.tree
      found.mappings.push(...inner.mappings)
    } else walk.collector.error([...walk.input.at, ...path], 'must be a mapping', Object.keys(known).join(', '))
  }
  return found
}

/** A key that exists, but in another group. */
function elsewhere(section: Group, name: string): string | undefined {
  const found = leavesOf(section).find(({ path }) => path.at(-1) === name)
  return found === undefined ? undefined : `; is ${found.path.join('.')} meant?`
}

interface SchemaContext {
  readonly input: SectionInput
  readonly collector: Collector
  readonly record: (path: readonly string[], format: Format<unknown>, raw: Raw) => void
  readonly given: Set<string>
  readonly path: readonly string[]
}

type ConvictTree = { [key: string]: ConvictTree | convict.SchemaObj }

/** Our schema in convict's terms. Defaults are text, so that convict coerces nothing by itself. */
function convictSchema(group: Group, context: SchemaContext): convict.Schema<Record<string, unknown>> {
  const tree: ConvictTree = {}
  for (const [name, node] of Object.entries(group)) {
    const path = [...context.path, name]
    if (!(node instanceof Leaf)) {
      tree[name] = convictSchema(node, { ...context, path }) as ConvictTree
      continue
    }
    const leaf: Leaf<unknown> = node
    tree[name] = {
      doc: leaf.about.doc,
      default: leaf.about.default,
      nullable: leaf.presence === 'optional',
      unit: leaf.format.unit,
      format: (raw: Raw) => {
        // A required key that is missing; what it lacks is said once.
        if (raw === null) context.record(path, { ...leaf.format, read: () => missing(leaf) }, raw)
        else context.record(path, leaf.format, raw)
      },
      ...environmentOf(path, context),
    }
  }
  return tree
}

function missing(leaf: Leaf<unknown>): ReturnType<Format<unknown>['read']> {
  return { status: 'refused', problems: [{ at: [], problem: 'the key is missing', allowed: leaf.format.allowed }] }
}

function environmentOf(path: readonly string[], context: SchemaContext): { env?: string } {
  const { variableWords, withoutVariable, at } = context.input
  if (variableWords === undefined || withoutVariable?.includes(path.join('.'))) return {}
  const env = variableName([...variableWords, ...path])
  context.collector.offer(env, [...at, ...path], at)
  if (context.collector.environment[env] !== undefined) context.given.add(path.join('.'))
  return { env }
}

/** The formats record what they refuse and do not throw; what convict itself refuses is a mistake of ours. */
function validate(config: convict.Config<Record<string, unknown>>, refused: () => number): void {
  config.validate({ allowed: 'strict', output: () => { throw new Error(`convict found fault with a schema of ours, beside ${refused()} refused values`) } })
}

function readValues(group: Group, at: readonly string[], take: (path: readonly string[], leaf: Leaf<unknown>) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(group).map(([name, node]) => [
    name, node instanceof Leaf ? take([...at, name], node) : readValues(node, [...at, name], take),
  ]))
}

/** Warns of POSTERN_ variables that set nothing: a mistyped one would be lost without a word. */
export function warnOfUnknownVariables(collector: Collector, reserved: readonly string[]): void {
  for (const variable of Object.keys(collector.environment)) {
    if (collector.variables.has(variable) || reserved.includes(variable)) continue
    const near = nearest(variable, [...collector.variables.keys(), ...reserved])
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    collector.warnings.push({ place: { ...NOWHERE, variable }, key: '', text: `sets no key of this configuration${hint}` })
  }
}

/** The paths of a group as `limits.message_bytes`. */
export function keysOf(group: Group): readonly string[] {
  return leavesOf(group).map(({ path }) => path.join('.'))
}
