/** `workers: 0`: the gateway in this process, as a service like the supervised one. */
import type { Settings } from '../config/settings.ts'
import type { Gateway } from '../gateway.ts'
import type { Service } from './service.ts'

export function inProcess(gateway: Gateway): Service {
  return {
    start: () => gateway.start(),
    reload: (settings: Settings) => gateway.reload(settings),
    stop: () => gateway.stop(),
    // It is this process that would fail.
    onFailure: () => undefined,
    // There is no other process to end, and this one exits next.
    kill: () => undefined,
    addresses: () => gateway.addresses(),
    // Whoever can ask has a process that runs.
    answers: () => true,
  }
}
