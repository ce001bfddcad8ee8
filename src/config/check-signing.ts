/**
 * Checks of `signing` as a whole: keys that stand twice, tables that go
 * together, listeners that a key names; and everything that it leads to on disk
 * is read as the gateway will read it.
 */
import { resolve } from 'node:path'
import type { CheckContext } from './check-context.ts'
import { readKeySet } from '../signing/key-set.ts'
import { thisReader } from '../signing/key-file.ts'
import { describeSigningProblem } from '../signing/problem.ts'
import { usesFiles } from './check-files.ts'
import { assembleSigning } from './assemble-signing.ts'
import type { ValuesOf } from './leaf.ts'
import type { Model } from './model.ts'
import { suggestion } from './nearest.ts'
import { keysOf } from './section.ts'
import { SIGNING } from './signing-schema.ts'

export function checkSigning(model: Model, context: CheckContext): void {
  const { collector } = context
  const { signing } = model.root.values
  const { isGiven } = model.root
  for (const [one, other] of [['key_table', 'signing_table'], ['signing_table', 'key_table']] as const) {
    if (isGiven(`signing.${one}`) && !isGiven(`signing.${other}`)) collector.error(['signing', one], `${one} stands without ${other}`, 'both, or neither')
  }
  if (isGiven('signing.multiple_signatures') && !isGiven('signing.signing_table')) collector.error(['signing', 'multiple_signatures'], 'does nothing without signing_table', 'leave it out')
  if (isGiven('signing.selector') && !isGiven('signing.directory')) collector.error(['signing', 'selector'], 'does nothing without directory: a key under keys has its own', 'leave it out')
  const before = collector.errors.length
  checkKeys(model, context)
  // Where the text itself is wrong, its files would only be wrong for the same reason.
  if (usesFiles(context) && collector.errors.length === before && !keysOf({ signing: SIGNING }).some((key) => isGiven(key) && unread(signing, key))) checkKeyFiles(signing, context)
  const leaving = model.listeners.some(({ values: { role } }) => role === 'outbound' || role === 'submission')
  if (!leaving && keysOf({ signing: SIGNING }).some(isGiven)) collector.warn(['signing'], 'no listener has the role outbound or submission, so that nothing is signed')
}

function checkKeys(model: Model, { collector, base }: CheckContext): void {
  const seen = new Map<string, string>()
  const listeners = new Map(model.listeners.map(({ values: { name, role } }) => [name ?? '', role]))
  for (const [i, one] of (model.root.values.signing.keys ?? []).entries()) {
    const name = `${one.selector}._domainkey.${one.domain}`
    const path = resolve(base, one.key)
    const other = seen.get(name)
    if (other !== undefined && other !== path) collector.error(['signing', 'keys', i], `the key ${name} stands twice, with different files`, 'one file for each selector and domain')
    seen.set(name, path)
    for (const [k, listener] of (one.listeners ?? []).entries()) {
      const role = listeners.get(listener)
      const key = ['signing', 'keys', i, 'listeners', k]
      if (!listeners.has(listener)) collector.error(key, `there is no listener "${listener}"${suggestion(listener, [...listeners.keys()])}`, [...listeners.keys()].join(', '))
      else if (role === 'inbound') collector.error(key, `the listener "${listener}" has the role inbound, where nothing is signed`, 'a listener whose role is outbound or submission')
    }
  }
}

/** Whether what stands there could not be read, which its own error says. */
function unread(signing: Model['root']['values']['signing'], key: string): boolean {
  return signing[key.slice('signing.'.length) as keyof typeof signing] === undefined
}

function checkKeyFiles(signing: Model['root']['values']['signing'], { collector, base }: CheckContext): void {
  // What could not be read is no part of it: `unread` has looked.
  const settings = assembleSigning(signing as ValuesOf<typeof SIGNING>, base)
  const reading = readKeySet(settings, thisReader())
  if (reading.status === 'read') return
  for (const one of reading.problems) {
    if (one.key !== undefined) collector.error(one.key, describeSigningProblem({ ...one, allowed: undefined }), one.allowed)
    else collector.errors.push({ source: one.file, line: one.line, column: undefined, variable: undefined, key: 'signing', problem: one.problem, allowed: one.allowed })
  }
}
