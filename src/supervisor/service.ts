/**
 * A running gateway as the process sees it, whether in one process or several.
 */
import type { ExitError } from '../cli/exit-codes.ts'
import type { Settings, SocketAddress } from '../config/settings.ts'

/** listener name → where it listens, ports resolved */
export type Addresses = ReadonlyMap<string, readonly SocketAddress[]>

export interface Service {
  /** Resolves when every listener is open; rejects, with nothing left open, if one cannot be. */
  start(): Promise<void>
  /** Rejects, and keeps what it had, where the new settings cannot be taken up. */
  reload(settings: Settings): Promise<void>
  /** Lets sessions finish, for as long as the settings allow. Resolves when all has ended. */
  stop(): Promise<void>
  /** Who is to hear, once, that it cannot go on and should be stopped; its code says whether a new start is worth it. */
  onFailure(listener: (why: ExitError) => void): void
  /** Ends at once whatever still runs; `stop` then resolves. */
  kill(): void
  addresses(): Addresses
  /** False while one of its processes does not answer, or was killed for that and is still there. */
  answers(): boolean
}

/** `inbound 127.0.0.1:2525, unix:/run/x; submission [::]:465` */
export function describeAddresses(addresses: Addresses): string {
  return [...addresses].map(([name, list]) => `${name} ${list.map(describeAddress).join(', ')}`).join('; ')
}

export function describeAddress(address: SocketAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}
