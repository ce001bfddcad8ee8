/**
 * The organizational domain of a host name by the list of public suffixes, with
 * tldts: what its owner has registered. For telling pools of servers apart;
 * DMARC has its own way (RFC 9989 §4.10). Undefined where a name has none.
 */
import { createRequire } from 'node:module'

type GetDomain = (name: string, options: { readonly allowPrivateDomains: boolean; readonly extractHostname: boolean }) => string | null

const load = createRequire(import.meta.url)
let loaded: GetDomain | undefined

/** The list is a megabyte: it is read when somebody asks for the first time. */
export function organizationalDomain(name: string): string | undefined {
  loaded ??= (load('tldts') as { readonly getDomain: GetDomain }).getDomain
  // Names below a private suffix (of a hoster) belong to strangers to each other.
  return loaded(name, { allowPrivateDomains: true, extractHostname: false }) ?? undefined
}
