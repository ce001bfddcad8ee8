/**
 * The shape of the schema: keys (leaves) in groups, and the type of the values
 * that a group is read into. The validation, the names of the environment
 * variables and the reference are all derived from it.
 */
import type { Format } from './format.ts'

export interface About {
  /** what the key does, in whole sentences; Markdown */
  readonly doc: string
  /** as it would be written in the file or the environment; null: none */
  readonly default: string | null
  /** the default in words, where it depends on other things */
  readonly defaultText?: string
}

/** A key. A class, so that a group with a key called `format` is not taken for one. */
export class Leaf<T> {
  readonly about: About
  readonly format: Format<T>
  readonly presence: 'default' | 'optional' | 'required'

  constructor(format: Format<T>, about: About, presence: Leaf<T>['presence']) {
    this.format = format
    this.about = about
    this.presence = presence
  }
}

export interface Group {
  readonly [key: string]: Leaf<unknown> | Group
}

export type ValuesOf<G> = {
  readonly [K in keyof G]: G[K] extends Leaf<infer T> ? T : ValuesOf<G[K]>
}

/** As `ValuesOf`, but what could not be read is undefined. */
export type ReadableOf<G> = {
  readonly [K in keyof G]: G[K] extends Leaf<infer T> ? T | undefined : ReadableOf<G[K]>
}

/** A key with a default. */
export function key<T>(format: Format<T>, about: { doc: string; default: string; defaultText?: string }): Leaf<T> {
  return new Leaf(format, about, 'default')
}

/** A key that may be left out. */
export function optional<T>(format: Format<T>, about: { doc: string; defaultText?: string }): Leaf<T | undefined> {
  return new Leaf<T | undefined>(format, { ...about, default: null }, 'optional')
}

/** A key that must stand. */
export function required<T>(format: Format<T>, about: { doc: string }): Leaf<T> {
  return new Leaf(format, { ...about, default: null }, 'required')
}

/** The leaves of a group with their paths, in the order of the schema. */
export function leavesOf(group: Group, at: readonly string[] = []): readonly { path: readonly string[]; leaf: Leaf<unknown> }[] {
  return Object.entries(group).flatMap(([name, node]) => node instanceof Leaf
    ? [{ path: [...at, name], leaf: node }]
    : leavesOf(node, [...at, name]))
}

/** `POSTERN_LIMITS_MESSAGE_BYTES` of `limits.message_bytes`. */
export function variableName(path: readonly string[]): string {
  return ['POSTERN', ...path].map((part) => part.toUpperCase().replace(/[^A-Z0-9]+/g, '_')).join('_')
}
