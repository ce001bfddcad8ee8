/**
 * What supervisor and worker say to each other over the IPC channel, by
 * structured clone (`serialization: 'advanced'`), which carries the Maps of
 * Settings. Both ends are of one version: a worker is never older than the
 * supervisor that started it.
 */
import type { Settings, SocketAddress } from '../config/settings.ts'
import type { PackedRules } from '../scoring/packed-rules.ts'

export type ToWorker =
  | {
      readonly type: 'start'
      readonly settings: Settings
      /** `rules` will come, but listeners need not wait for it */
      readonly rulesFollow?: true
    }
  /** undefined: they could not be read there */
  | { readonly type: 'rules'; readonly rules: PackedRules | undefined }
  | {
      readonly type: 'reload'
      readonly settings: Settings
      /** read anew; absent: whoever wants some reads them himself */
      readonly rules?: PackedRules
    }
  | { readonly type: 'stop' }
  /** to be answered at once: an event loop that turns answers */
  | { readonly type: 'ping' }

export type FromWorker =
  /** is there and waits for `start` */
  | { readonly type: 'up' }
  /** every listener is open */
  | { readonly type: 'ready'; readonly addresses: ReadonlyMap<string, readonly SocketAddress[]> }
  /** could not start; it exits next */
  | { readonly type: 'failed'; readonly exitCode: number; readonly message: string }
  | { readonly type: 'reloaded'; readonly addresses: ReadonlyMap<string, readonly SocketAddress[]> }
  | { readonly type: 'reload-failed'; readonly exitCode: number; readonly message: string }
  | { readonly type: 'pong' }

const TO_WORKER = new Set(['start', 'rules', 'reload', 'stop', 'ping'])
const FROM_WORKER = new Set(['up', 'ready', 'failed', 'reloaded', 'reload-failed', 'pong'])

export function isToWorker(message: unknown): message is ToWorker {
  return isTyped(message, TO_WORKER)
}

export function isFromWorker(message: unknown): message is FromWorker {
  return isTyped(message, FROM_WORKER)
}

function isTyped(message: unknown, types: ReadonlySet<unknown>): boolean {
  return typeof message === 'object' && message !== null && 'type' in message && types.has(message.type)
}
