/**
 * The socket to a host. Of a name's addresses Node tries one after the other
 * until one takes the connection (RFC 8305 in short); those that took it and
 * were of no use can be left out of the next attempt.
 */
import { lookup, type LookupAddress } from 'node:dns'
import { connect, type LookupFunction, type Socket } from 'node:net'
import type { SocketAddress } from '../config/settings.ts'

/** The message of the error where every address was left out. */
export const NO_OTHER_ADDRESS = 'the host has no other address'

/** Of several addresses of a host the next is tried after this; Node's own 250 ms is short for a far host. */
const ADDRESS_ATTEMPT_MS = 2000

/** All addresses of a name, as `dns.lookup` gives them. */
export type Resolve = (name: string, done: (error: Error | null, addresses: readonly LookupAddress[]) => void) => void

const resolveBySystem: Resolve = (name, done) => lookup(name, { all: true }, done)

export function connectTo(address: SocketAddress, avoid: ReadonlySet<string> = new Set(), resolve = resolveBySystem): Socket {
  if (address.kind === 'unix') return connect({ path: address.path })
  return connect({ host: address.host, port: address.port, autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS, lookup: without(avoid, resolve) })
}

function without(avoid: ReadonlySet<string>, resolve: Resolve): LookupFunction {
  return (name, options, done) => {
    resolve(name, (error, found) => {
      if (error !== null) return done(error, [])
      const left = found.filter(({ address }) => !avoid.has(address))
      const [first] = left
      if (first === undefined) done(new Error(avoid.size === 0 ? 'the host has no address' : NO_OTHER_ADDRESS), [])
      // Node wants a list where it tries several, and one where it does not.
      else if (options.all === true) done(null, left)
      else done(null, first.address, first.family)
    })
  }
}
