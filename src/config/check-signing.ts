/**
 * Checks of `signing` as a whole: keys that stand twice, tables that go
 * together, listeners that a key names. The key files themselves are read by
 * check-signing-files.ts.
 */
import { resolve } from 'node:path'
import { checkReadable } from './check-files.ts'
import type { CheckContext } from './check-model.ts'
import { tableFile } from './assemble-signing.ts'
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
  checkKeys(model, context)
  checkPlaces(signing, context)
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

function checkPlaces(signing: Model['root']['values']['signing'], context: CheckContext): void {
  for (const name of ['key_table', 'signing_table'] as const) {
    const text = signing[name]
    if (text !== undefined) checkReadable(tableFile(text, context.base).path, ['signing', name], context)
  }
}
