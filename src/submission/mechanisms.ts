/**
 * Which mechanisms are offered. A client takes the strongest that it sees and
 * most do not try another one, so by default a mechanism is offered only where
 * every user can do it; one that the configuration names, where anybody can.
 * What sends the password is offered under TLS only, whatever is configured.
 * Pure.
 */
import type { DovecotMechanism } from './dovecot-client.ts'
import type { Abilities } from './password-file.ts'
import { SASL_MECHANISMS, type AuthenticatorSettings } from './settings.ts'

export interface OfferFacts {
  readonly tls: boolean
  /** there is something to bind to */
  readonly channelBinding: boolean
  /** the client has a certificate that stands for somebody */
  readonly certified: boolean
  /** of the users file; undefined: there is none, or it was not read yet */
  readonly abilities: Abilities | undefined
  /** undefined: there is no Dovecot, or it was never connected */
  readonly dovecot: readonly DovecotMechanism[] | undefined
}

type OfferSettings = Pick<AuthenticatorSettings, 'mechanisms' | 'withoutTls' | 'users'> & { readonly dovecot: unknown; readonly certificates: AuthenticatorSettings['certificates'] }

export function offeredMechanisms(settings: OfferSettings, facts: OfferFacts): readonly string[] {
  const named = settings.mechanisms
  const wanted = (name: string): boolean => named === undefined || (named as readonly string[]).includes(name)
  const ours = SASL_MECHANISMS.filter((name) => {
    if (!wanted(name)) return false
    switch (name) {
      case 'EXTERNAL': return facts.tls && facts.certified && settings.certificates?.mode === 'instead'
      case 'PLAIN':
      case 'LOGIN': return facts.tls && (settings.users !== undefined || facts.dovecot === undefined || hasMechanism(facts, 'PLAIN'))
      case 'SCRAM-SHA-256-PLUS': return facts.tls && facts.channelBinding && canDo(settings, facts, { name: 'SCRAM-SHA-256-PLUS', count: facts.abilities?.scram ?? 0 })
      case 'SCRAM-SHA-256': return (facts.tls || settings.withoutTls) && canDo(settings, facts, { name, count: facts.abilities?.scram ?? 0 })
      case 'CRAM-MD5': return (facts.tls || settings.withoutTls) && canDo(settings, facts, { name, count: facts.abilities?.cramMd5 ?? 0 })
    }
  })
  // Of Dovecot's others nobody in the file can do any.
  const theirs = settings.users === undefined || named !== undefined ? (facts.dovecot ?? []).filter((one) => isForeign(one) && wanted(one.name) && mayPass(one, settings, facts.tls)) : []
  return [...ours, ...theirs.map(({ name }) => name)]
}

function canDo(settings: OfferSettings, facts: OfferFacts, { name, count }: { readonly name: string; readonly count: number }): boolean {
  // What it binds to cannot be told to Dovecot.
  const there = name !== 'SCRAM-SHA-256-PLUS' && hasMechanism(facts, name)
  if (settings.mechanisms !== undefined) return count > 0 || there
  const users = facts.abilities?.users ?? 0
  const everyHere = count === users
  const everyThere = settings.dovecot === undefined || there
  return everyHere && everyThere && (count > 0 || there)
}

function hasMechanism({ dovecot }: OfferFacts, name: string): boolean {
  return dovecot?.some((one) => one.name === name && !one.flags.has('private') && !one.flags.has('anonymous')) === true
}

/** None of those that we know by ourselves, and none in which nobody proves anything to us. */
function isForeign({ name }: DovecotMechanism): boolean {
  return !(SASL_MECHANISMS as readonly string[]).includes(name) && name !== 'ANONYMOUS' && !name.endsWith('-PLUS')
}

function mayPass({ flags }: DovecotMechanism, { withoutTls }: OfferSettings, tls: boolean): boolean {
  if (flags.has('private') || flags.has('anonymous')) return false
  return tls || (withoutTls && !flags.has('plaintext'))
}
