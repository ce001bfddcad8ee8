/**
 * A signature as it was asked for, made ready: key, selector and method found,
 * `d=` and `i=` known or left to the macros. Pure but for the key files, which
 * it is handed.
 *
 * What departs from DKIMproxy is a warning: no rsa-sha1 any more, no DomainKeys,
 * `i=` only under `d=`.
 */
import { isName } from '../signing/signing-key.ts'
import type { SigningAlgorithm } from '../auth/dkim/signing-order.ts'
import type { PrivateKey } from '../signing/private-key.ts'
import type { KeyFiles } from './key-files.ts'
import { PARAMETERS, expandMacro, hasMacro, readMethod, readSignature, type MacroValues, type Method, type SignatureWords } from './signature-words.ts'

/** Where a signature gets what it does not say itself; for a map there is no domain. */
export interface SignatureDefaults {
  readonly keyfile: string | undefined
  readonly selector: string | undefined
  readonly method: string | undefined
  readonly identity: string | undefined
}

export interface SignaturePlan {
  readonly key: PrivateKey
  readonly algorithm: SigningAlgorithm
  readonly selector: string
  readonly method: Method
  /** as written, with macros; undefined: the domain that was matched */
  readonly domain: string | undefined
  readonly identity: string | undefined
}

export type Planned =
  | { readonly status: 'planned'; readonly plan: SignaturePlan; readonly warnings: readonly string[] }
  /** it does nothing: DomainKeys */
  | { readonly status: 'idle'; readonly warnings: readonly string[] }
  /** a signature cannot be made; DKIMproxy says so at start for its own, at the message for those of maps */
  | { readonly status: 'wrong'; readonly problem: string }

export function planSignature(text: string, defaults: SignatureDefaults, keys: KeyFiles): Planned {
  const words = readSignature(text)
  if (typeof words === 'string') return { status: 'wrong', problem: words }
  if (words.type === 'domainkeys') return { status: 'idle', warnings: ['no DomainKeys signature is made: DomainKeys is historic (RFC 4870), and DKIM took its place'] }
  const given = (name: string, otherwise?: string): string | undefined => words.parameters.get(name) ?? otherwise
  const keyfile = given('keyfile', defaults.keyfile)
  const selector = given('selector', defaults.selector)?.toLowerCase()
  const methodName = given('method', defaults.method) ?? 'relaxed'
  const method = readMethod(methodName)
  if (keyfile === undefined) return wrong('no keyfile is given')
  if (selector === undefined) return wrong('no selector is given')
  if (!isName(selector)) return wrong(`${JSON.stringify(selector)} is no selector`)
  if (method === undefined) return wrong(`${JSON.stringify(methodName)} is no method; allowed: simple, relaxed, or two of them with a slash`)
  const domain = given('domain')?.toLowerCase()
  if (domain !== undefined && !hasMacro(domain) && !isName(domain)) return wrong(`${JSON.stringify(domain)} is no domain`)
  const reading = keys.read(keyfile)
  if (reading.status === 'refused') return wrong(reading.problem)
  const algorithm = given('algorithm')?.toLowerCase()
  const problem = algorithmProblem(algorithm, reading.key)
  if (problem !== undefined) return wrong(problem)
  const plan = { key: reading.key, algorithm: reading.key.algorithm, selector, method, domain, identity: given('identity', defaults.identity) }
  return { status: 'planned', plan, warnings: [...departures(words, { methodName, algorithm, plan }), ...(reading.warning === undefined ? [] : [reading.warning])] }
}

function wrong(problem: string): Planned {
  return { status: 'wrong', problem }
}

function algorithmProblem(algorithm: string | undefined, key: PrivateKey): string | undefined {
  if (algorithm === undefined || algorithm === key.algorithm || (algorithm === 'rsa-sha1' && key.algorithm === 'rsa-sha256')) return undefined
  if (!['rsa-sha1', 'rsa-sha256', 'ed25519-sha256'].includes(algorithm)) return `${JSON.stringify(algorithm)} is no algorithm; allowed: rsa-sha256, ed25519-sha256`
  return `a=${algorithm} does not fit the key, which is one of ${key.algorithm}`
}

function departures({ parameters }: SignatureWords, { methodName, algorithm, plan }: { readonly methodName: string; readonly algorithm: string | undefined; readonly plan: SignaturePlan }): string[] {
  const found: string[] = []
  if (algorithm === 'rsa-sha1') found.push('a=rsa-sha1 becomes rsa-sha256: RFC 8301 forbids the first')
  else if (algorithm === undefined && plan.algorithm === 'rsa-sha256') found.push('without a= the signature is rsa-sha256; DKIMproxy takes rsa-sha1, which RFC 8301 forbids')
  if (methodName.trim().toLowerCase() === 'nowsp') found.push('the method nowsp is of a draft and unknown to verifiers; relaxed is taken')
  if (parameters.has('headers')) found.push('h= (headers) does nothing, as in DKIMproxy')
  for (const name of parameters.keys()) if (!PARAMETERS.has(name)) found.push(`${JSON.stringify(name)} is no parameter of a signature; it is ignored, as DKIMproxy does`)
  const { domain, identity } = plan
  if (identity !== undefined && domain !== undefined && !hasMacro(domain) && !hasMacro(identity) && !liesUnder(identity, domain)) {
    found.push(`the identity ${JSON.stringify(identity)} does not lie under ${domain}; i= is left out (RFC 6376 §3.5)`)
  }
  return found
}

/** RFC 6376 §3.5: the domain of i= is d= or below it. */
function liesUnder(identity: string, domain: string): boolean {
  const host = identity.slice(identity.lastIndexOf('@') + 1).toLowerCase()
  return /^[\x21-\x7e]*$/.test(identity) && identity.includes('@') && (host === domain || host.endsWith(`.${domain}`))
}

export type Named =
  | { readonly status: 'named'; readonly domain: string; readonly identity: string | undefined }
  | { readonly status: 'wrong'; readonly problem: string }

/** `d=` and `i=` for one message. */
export function nameSignature(plan: SignaturePlan, fallback: string | undefined, values: MacroValues): Named {
  const written = plan.domain ?? fallback
  if (written === undefined || written === '.' || written === '') return { status: 'wrong', problem: 'no domain is known for the signature' }
  const domain = expandMacro(written, values)?.toLowerCase()
  if (domain === undefined || !isName(domain)) return { status: 'wrong', problem: `${JSON.stringify(written)} gives no domain for this message` }
  if (plan.identity === undefined) return { status: 'named', domain, identity: undefined }
  const identity = expandMacro(plan.identity, values)
  if (identity === undefined) return { status: 'wrong', problem: `${JSON.stringify(plan.identity)} gives no identity for this message` }
  return { status: 'named', domain, identity: liesUnder(identity, domain) ? identity : undefined }
}
