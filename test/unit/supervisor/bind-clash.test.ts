/** When it is ourselves who hold an address that a reload wants. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Settings, SocketAddress } from '../../../src/config/settings.ts'
import { bindClashes } from '../../../src/supervisor/bind-clash.ts'
import { someSettings } from './fakes.ts'

const tcp = (host: string, port = 25): SocketAddress => ({ kind: 'tcp', host, port })

function wanting(...listen: readonly SocketAddress[]): Settings {
  const settings = someSettings()
  const [listener] = settings.listeners
  assert.ok(listener !== undefined)
  return { ...settings, listeners: [{ ...listener, listen }] }
}

const clash = (held: SocketAddress, wanted: SocketAddress): readonly string[] => bindClashes(wanting(wanted), new Map([['a', [held]]]))

test('an address that is narrowed, and one that is widened', () => {
  assert.deepEqual(clash(tcp('0.0.0.0'), tcp('127.0.0.1')), ['127.0.0.1:25 is still bound by this Postern as 0.0.0.0:25; restart to narrow it'])
  assert.deepEqual(clash(tcp('127.0.0.1'), tcp('0.0.0.0')), ['0.0.0.0:25 is still bound by this Postern as 127.0.0.1:25; restart to widen it'])
  assert.deepEqual(clash(tcp('::'), tcp('::1')), ['[::1]:25 is still bound by this Postern as [::]:25; restart to narrow it'])
})

test('what does not stand in the way: itself, another port, another address, the other family, a unix socket', () => {
  for (const [held, wanted] of [
    [tcp('0.0.0.0'), tcp('0.0.0.0')],
    [tcp('0.0.0.0'), tcp('127.0.0.1', 26)],
    [tcp('127.0.0.2'), tcp('127.0.0.1')],
    [tcp('0.0.0.0'), tcp('::1')],
    [tcp('::'), tcp('127.0.0.1')],
    [{ kind: 'unix', path: '/a' }, tcp('127.0.0.1')],
    [tcp('0.0.0.0'), { kind: 'unix', path: '/a' }],
  ] as const) assert.deepEqual(clash(held, wanted), [])
})
