/**
 * Authentication-Results of others: python-authres (23 fields with what its
 * documentation says of each) and go-msgauth (13). What is written is read, and
 * what is read is written again and compared.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { authenticationResults, claimsAuthservId, type AuthenticationResult } from '../../src/message/authentication-results.ts'
import { parseAuthenticationResults, type ReadResult } from '../../src/message/authentication-results-parser.ts'
import { unfold, valueText } from '../../src/message/header-field.ts'
import { SUITES, suitesMissing } from '../support/mail-samples.ts'
import { sectionOf } from '../support/stored-message.ts'

const count = { authres: 0, expectations: 0, foreign: 0, written: 0, msgauth: 0 }
after(() => {
  if (suitesMissing('authres') === false) console.log(`# authres: python-authres ${count.authres} of 23 (${count.expectations} expectations, ${count.written} of them of the writer; ${count.foreign} about Python alone), go-msgauth ${count.msgauth} of 13`)
})

function casesIn<T>(name: string): readonly T[] {
  const path = join(SUITES, 'authres', name, 'cases.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) as readonly T[] : []
}

const asWritten = (result: ReadResult): AuthenticationResult => result as AuthenticationResult
const unfolded = (field: string) => field.replaceAll('\r\n', '')
const withoutComment = ({ method, result, reason, properties }: ReadResult): ReadResult => ({ method, result, properties, ...(reason !== undefined && { reason }) })
/** As python-authres writes one result: without its comment. */
const resultText = (result: ReadResult) => unfolded(authenticationResults({ authservId: 'x', results: [asWritten(withoutComment(result))] })).replace('Authentication-Results: x; ', '')

/* --- python-authres --- */

interface AuthresCase {
  readonly line: number
  readonly header: string
  readonly expect: readonly (readonly [expression: string, printed: string])[]
}

/** Some fields stand in the case with the Python around them. */
function valueOf(header: string): string {
  const field = /^'?(authentication-results:[^']*)/i.exec(header)?.[1]
  assert.ok(field !== undefined, header)
  return field.slice(field.indexOf(':') + 1)
}

/** What python-authres prints for the expression, from what we read; undefined where the expression asks about Python. */
function printedFor(expression: string, value: string): string | undefined {
  const read = parseAuthenticationResults(value)
  const quoted = (text: string | undefined) => `'${text ?? 'None'}'`
  if (/authserv_id\)$/.test(expression) && !expression.includes('authserv_id =')) return quoted(read.authservId ?? undefined)
  if (expression.startsWith('for result in')) return read.results.flatMap(({ method, result }) => [quoted(method), quoted(result)]).join('\n')
  if (expression.includes('Header.parse(')) return read.status === 'malformed' ? 'Syntax error' : 'no error'
  const [, index, rest = ''] = /results\[(\d)\]([\w.[\]]*)\)?$/.exec(expression) ?? []
  const result = index === undefined || /^try/.test(expression) ? undefined : read.results[Number(index)]
  if (result === undefined) return undefined
  if (rest === '') return `'${resultText(result)}'`
  const [, place, part] = /^\.properties\[(\d)\]\.(type|name|value)$/.exec(rest) ?? []
  if (part !== undefined) {
    const property = result.properties[Number(place)]
    return quoted(part === 'type' ? property?.ptype : part === 'name' ? property?.property : property?.value)
  }
  const name = rest.slice(1)
  if (name === 'method' || name === 'result' || name === 'reason') return quoted(result[name])
  const [ptype, property] = name.split('_')
  return quoted(result.properties.find((one) => one.ptype === ptype && one.property === property)?.value)
}

describe('Authentication-Results, python-authres', { skip: suitesMissing('authres/python-authres') }, () => {
  const cases = casesIn<AuthresCase>('python-authres')
  for (const { line, header, expect } of cases) {
    test(`line ${line}`, () => {
      const value = valueOf(header)
      for (const [expression, printed] of expect) {
        const ours = /^['"](Authentication-Results: .*)['"]$/.exec(printed)?.[1]
        if (ours !== undefined) {
          written(ours)
          continue
        }
        const found = printedFor(expression, value)
        if (found === undefined) {
          count.foreign++
          continue
        }
        if (found === 'Syntax error') assert.match(printed, /^Syntax error: /)
        else assert.equal(found, printed, expression)
        count.expectations++
      }
      count.authres++
    })
  }
  test('is complete: 23 fields', () => assert.equal(cases.length, 23))
})

/** A field that python-authres writes: read and written by us it is the same, but for comments behind properties, which we do not keep. */
function written(field: string): void {
  const read = parseAuthenticationResults(valueOf(field.replaceAll("you're", 'you are')))
  assert.equal(read.status, 'ok', `${field}: ${read.why}`)
  const again = unfolded(authenticationResults({ authservId: read.authservId ?? '', results: read.results.map(asWritten) }))
  assert.equal(again, field.replace(/(policy\.iprev="[^"]*"|smtp\.rrvs=\S+) \([^)]*\)/, '$1'))
  count.written++
  count.expectations++
}

/* --- go-msgauth --- */

interface MsgauthCase {
  readonly value: string
  readonly identifier: string
  readonly results: readonly Readonly<Record<string, string>>[]
}

const METHODS: Readonly<Record<string, string>> = { SPF: 'spf', DKIM: 'dkim', Auth: 'auth', SenderID: 'sender-id' }
const PROPERTIES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  spf: { From: 'smtp.mailfrom' }, auth: { Auth: 'smtp.auth' }, dkim: { Identifier: 'header.i' },
}

describe('Authentication-Results, go-msgauth', { skip: suitesMissing('authres/go-msgauth') }, () => {
  const cases = casesIn<MsgauthCase>('go-msgauth')
  for (const { value, identifier, results } of cases) {
    test(JSON.stringify(value), () => {
      const section = sectionOf(`Authentication-Results: ${value}\r\n\r\n`)
      const read = parseAuthenticationResults(valueText(section.fields[0]!))
      assert.deepEqual([read.authservId ?? '', read.results.length], [identifier, results.length])
      // The empty field is the one that go-msgauth takes and we do not: it has no authserv-id.
      assert.equal(read.status, value === '' ? 'malformed' : 'ok', read.why)
      if (identifier !== '') assert.ok(claimsAuthservId(section.fields[0]!, identifier))
      for (const [i, { type = '', Value = '', Reason, HeaderKey, HeaderValue, ...others }] of results.entries()) {
        const method = METHODS[type]!
        const found = read.results[i]!
        assert.deepEqual([found.method, `Result${found.result}`.toLowerCase(), found.reason], [method, Value.toLowerCase(), Reason])
        const properties = Object.entries(others).map(([key, text]) => `${PROPERTIES[method]![key]!}=${text}`)
        if (HeaderKey !== undefined) properties.push(`header.${HeaderKey}=${HeaderValue ?? ''}`)
        assert.deepEqual(found.properties.map((one) => `${one.ptype}.${one.property}=${one.value}`), properties)
      }
      const again = parseAuthenticationResults(unfold(authenticationResults({ authservId: identifier, results: read.results.map(asWritten) })).slice('Authentication-Results:'.length))
      // We write no version: 1 is what a field without one has.
      if (identifier !== '') assert.deepEqual(again, { ...read, version: '' })
      count.msgauth++
    })
  }
  test('is complete: 13 fields', () => assert.equal(cases.length, 13))
})
