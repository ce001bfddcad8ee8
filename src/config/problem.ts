/**
 * What can be wrong with a configuration, and how it is said: where (file,
 * line, column, or environment variable), at which key, what was found and
 * what is allowed. Pure text; nothing here reads files.
 */

/** `['listeners', 1, 'tls', 'cert']` */
export type KeyPath = readonly (string | number)[]

export interface ConfigurationError {
  /** path of the file, or `embedded default` */
  readonly source: string
  /** counted from 1; undefined where no line is at fault */
  readonly line: number | undefined
  readonly column: number | undefined
  /** like `listeners[1].tls.cert`; empty for the document as a whole */
  readonly key: string
  /** the environment variable that the value came from */
  readonly variable: string | undefined
  /** what was found and why it cannot stand */
  readonly problem: string
  /** what may stand there */
  readonly allowed: string | undefined
}

/** A place in the configuration: of the file, or of the environment. */
export interface Place {
  readonly line: number | undefined
  readonly column: number | undefined
  readonly variable: string | undefined
}

export const NOWHERE: Place = { line: undefined, column: undefined, variable: undefined }

/** Writes a path as the documentation does: `listeners[1].tls.cert`. */
export function formatKey(path: KeyPath): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (/^[A-Za-z0-9_-]+$/.test(part)) text += text === '' ? part : `.${part}`
    else text += `[${quote(part)}]`
  }
  return text
}

/** A value as an error shows it: in quotes, without control characters, cut at 60 characters. */
export function quote(text: string): string {
  const characters = Array.from(text)
  const cut = characters.length > 60 ? characters.slice(0, 59).join('') + '…' : text
  // JSON leaves DEL, C1 and the line separators as they are; a terminal does not.
  return JSON.stringify(cut).replace(/[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => '\\u' + character.charCodeAt(0).toString(16).padStart(4, '0'))
}

/** One line for the operator. */
export function describeError(error: ConfigurationError): string {
  const allowed = error.allowed === undefined ? '' : `; allowed: ${error.allowed}`
  // What the file holds is quoted here, and may hold what a terminal would obey.
  return `${describePlace(error.source, error)}${error.key === '' ? '' : `${error.key}: `}${error.problem}${allowed}`.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '?')
}

/** `file:12:3: `, or `environment variable POSTERN_X: `. */
export function describePlace(source: string, place: Place): string {
  if (place.variable !== undefined) return `environment variable ${place.variable}: `
  if (place.line === undefined) return `${source}: `
  return `${source}:${place.line}:${place.column ?? 1}: `
}
