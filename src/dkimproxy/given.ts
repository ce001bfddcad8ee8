/**
 * Reads what DKIMproxy is given, without I/O: the text of its configuration
 * file, and its command line. Neither throws: what cannot be is an error, what
 * is understood otherwise than DKIMproxy understood it is a warning; both name
 * the place.
 *
 * The file: `key value`, `key=value` or `key: value`, `--` may stand before the
 * key; `#` begins a comment wherever it stands, `\#` is a `#`; `%XX` is a byte.
 */
import { OPTIONS, isOn, type Program } from './options.ts'

/** Where something was said. */
export interface Place {
  /** path of the file; undefined: the command line */
  readonly file: string | undefined
  readonly line: number
}

export interface Given {
  /** name with underscores */
  readonly name: string
  readonly value: string
  readonly place: Place
}

export interface Notice {
  readonly place: Place
  readonly text: string
}

export interface Reading {
  readonly given: readonly Given[]
  readonly warnings: readonly Notice[]
  readonly errors: readonly Notice[]
}

export interface CommandLine extends Reading {
  readonly positional: readonly string[]
  readonly help: boolean
  readonly version: boolean
}

export const COMMAND_LINE: Place = { file: undefined, line: 0 }

/** One line for people: `/etc/dkimproxy_out.conf:4: …`. What was said by others holds no control character then. */
export function describeNotice({ place, text }: Notice): string {
  const where = place.file === undefined ? 'command line' : place.line === 0 ? place.file : `${place.file}:${place.line}`
  return `${where}: ${text}`.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '?')
}

export function readConfFile(text: string, file: string, program: Program): Reading {
  const given: Given[] = []
  const warnings: Notice[] = []
  for (const [index, raw] of text.replace(/^\ufeff/, '').split('\n').entries()) {
    const place = { file, line: index + 1 }
    const warn = (what: string): unknown => warnings.push({ place, text: what })
    const line = raw.replace(/\r$/, '').replace(/(?<!\\)#.*$/, '').replaceAll('\\#', '#')
    if (line.trim() === '') continue
    const match = /^\s*(?:--)?([\w-]+)(?:\s*[=:]\s*|\s+|$)(.*)$/.exec(line)
    const [, key = '', rest = ''] = match ?? []
    if (match === null) {
      warn(`${shown(line.trim())} is no "key value"; it is ignored, as DKIMproxy does`)
      continue
    }
    const name = key.replaceAll('-', '_')
    const kind = known(name, program)
    if (kind === undefined) {
      warn(`there is no option ${shown(key)}; it is ignored, as DKIMproxy does`)
      continue
    }
    if (kind.idle !== undefined) warn(`${name} is accepted and does nothing: ${kind.idle}`)
    if (key !== name) warn(`${key} is taken for ${name}; DKIMproxy ignores keys with hyphens`)
    const value = decoded(rest.trimEnd())
    if (rest.trimEnd() !== rest) warn(`the blanks behind the value of ${name} are left out; DKIMproxy keeps them`)
    if (value === '' && kind.kind !== 'flag') warn(`${name} has no value; it is ignored, as DKIMproxy does`)
    else if (value === '') {
      warn(`${name} without a value is taken for ${name} 1; DKIMproxy ignores keys without a value`)
      given.push({ name, value: '1', place })
    } else {
      if (name === 'reject_error' && isOn(value)) warn('reject_error is in force; DKIMproxy heeds --reject-error on its command line only')
      given.push({ name, value, place })
    }
  }
  return { given, warnings, errors: [] }
}

function known(name: string, program: Program): ReturnType<typeof OPTIONS.get> {
  const kind = OPTIONS.get(name)
  return kind === undefined || (kind.program ?? program) !== program ? undefined : kind
}

function decoded(value: string): string {
  return value.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}

/** `--key=value`, `--key value`, `--flag`; what has no dashes is positional: where to listen and where to relay to. */
export function readCommandLine(argv: readonly string[], program: Program): CommandLine {
  const given: Given[] = []
  const warnings: Notice[] = []
  const errors: Notice[] = []
  const positional: string[] = []
  let help = false
  let version = false
  const say = (list: Notice[], text: string): unknown => list.push({ place: COMMAND_LINE, text })
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? ''
    if (word === '--') {
      positional.push(...argv.slice(i + 1))
      break
    }
    const match = /^--?([\w-]+|\?)(?:=(.*))?$/s.exec(word)
    const [, key = '', attached] = match ?? []
    if (match === null || (!word.startsWith('--') && !['h', '?'].includes(key))) {
      if (word.startsWith('-')) say(errors, `${shown(word)} is no option`)
      else positional.push(word)
      continue
    }
    if (['help', 'h', '?'].includes(key)) help = true
    else if (key === 'version') version = true
    else {
      const name = key.replaceAll('-', '_')
      const kind = known(name, program)
      if (kind === undefined) say(errors, `there is no option --${key}`)
      else {
        if (kind.idle !== undefined) say(warnings, `--${key} is accepted and does nothing: ${kind.idle}`)
        if (name === 'reject_error' && key === name) say(warnings, '--reject_error is in force; DKIMproxy heeds --reject-error only')
        const value = attached ?? (kind.kind === 'flag' ? '1' : argv[++i])
        if (value === undefined) say(errors, `--${key} needs a value`)
        else given.push({ name, value, place: COMMAND_LINE })
      }
    }
  }
  if (![0, 2].includes(positional.length)) say(errors, `there are ${positional.length} arguments beside the options; allowed: none, or two: where to listen and where to relay to`)
  return { given, warnings, errors, positional, help, version }
}
