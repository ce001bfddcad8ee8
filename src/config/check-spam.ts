/**
 * Checks what `spam` says as a whole: files and folders that it names, engines
 * and lists that stand twice, thresholds of learning that would teach nonsense.
 * What rules say is read elsewhere (scoring/rule-files.ts). Problems go to the
 * collector.
 */
import { closeSync, constants, openSync } from 'node:fs'
import { resolve } from 'node:path'
import { thresholdsOf } from './assemble-policy.ts'
import type { CheckContext } from './check-context.ts'
import { checkReadable, systemCode } from './check-files.ts'
import type { Model } from './model.ts'
import { quote } from './problem.ts'
import type { KeyPath } from './problem.ts'
import { keysOf } from './section.ts'
import { SPAM } from './spam-schema.ts'

export function checkSpam(model: Model, context: CheckContext): void {
  const { collector, base } = context
  const { spam } = model.root.values
  for (const name of ['rules', 'spamassassin'] as const) {
    for (const [i, path] of (spam[name] ?? []).entries()) checkFileOrFolder(resolve(base, path), ['spam', name, i], context)
  }
  const engines = new Set<string>()
  for (const [i, engine] of (spam.engines ?? []).entries()) {
    const at = ['spam', 'engines', i]
    if (engines.has(engine.name)) collector.error([...at, 'name'], `two engines are called ${engine.name}`, 'each engine has a name of its own')
    engines.add(engine.name)
    if (engine.kind === 'rspamd' && engine.passwordFile !== undefined) checkReadable(resolve(base, engine.passwordFile), [...at, 'password_file'], context)
  }
  const lists = new Set<string>()
  for (const [i, { zone, name, kind }] of (spam.uri_lists ?? []).entries()) {
    if (lists.has(`${kind} ${zone}`)) collector.error(['spam', 'uri_lists', i], `the list ${name ?? zone} stands twice with the kind ${kind}`, 'each list once for each kind')
    lists.add(`${kind} ${zone}`)
  }
  const { auto_learn: auto, auto_learn_spam: from } = spam.bayes
  const tag = highestTag(model)
  if (auto === 'on' && from !== undefined && tag !== undefined && from < tag.points) {
    collector.error(['spam', 'bayes', 'auto_learn_spam'], `${from} is below ${tag.points}, from which mail${tag.domain} is tagged: what is not even tagged would be learned as spam`, `${tag.points} points or more`)
  }
  const inbound = model.listeners.some(({ values: { role } }) => role === 'inbound')
  if (!inbound && keysOf({ spam: SPAM }).some(model.root.isGiven)) collector.warn(['spam'], 'no listener has the role inbound, so that nothing is scored')
}

/** Of all thresholds, those of domains among them: what is learned is learned for everybody. */
function highestTag(model: Model): { readonly points: number; readonly domain: string } | undefined {
  const { domains = [], policy: { preset, spam: given } } = model.root.values
  if (preset === undefined) return undefined
  const policy = { preset, spam: given }
  const all = [{ points: thresholdsOf(policy).tag, domain: '' }, ...domains.map(({ domain, spam }) => ({ points: thresholdsOf(policy, spam).tag, domain: ` to ${domain}` }))]
  return all.reduce<{ points: number; domain: string } | undefined>((most, { points, domain }) => (points !== undefined && points > (most?.points ?? -Infinity) ? { points, domain } : most), undefined)
}

function checkFileOrFolder(path: string, at: KeyPath, { collector, purpose }: CheckContext): void {
  if (purpose === 'command') return
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK))
  } catch (error) {
    const code = systemCode(error)
    collector.error(at, code === 'ENOENT' ? `there is neither file nor folder ${quote(path)}` : `cannot read ${quote(path)}: ${code}`, 'a file or folder that can be read')
  }
}
