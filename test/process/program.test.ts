/** Somebody pulls and builds in the folder of a gateway that runs. */
import assert from 'node:assert/strict'
import { appendFileSync, cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { parseLog } from '../support/gateway.ts'
import { launch, MAIN, MESSAGE, signal } from '../support/launched.ts'
import { temporaryDirectory, until } from '../support/process.ts'

/** Another copy of the program, which may be written to. */
function copy(): string {
  const folder = dirname(MAIN)
  const root = temporaryDirectory('copy')
  cpSync(folder, join(root, basename(folder)), { recursive: true })
  for (const name of ['package.json', 'rules', 'config', 'node_modules']) symlinkSync(join(folder, '..', name), join(root, name))
  return join(root, basename(folder), basename(MAIN))
}

test('it goes on with the workers that it has, takes no mail by half a program', async (t) => {
  const main = copy()
  const postern = await launch(t, { workers: 2, main })
  await postern.logged('started')
  const before = readFileSync(main)
  const [first = 0, second = 0] = postern.workers()
  appendFileSync(main, '\nthrow new Error("half a program")\n')
  process.kill(first, 'SIGKILL')
  const changed = (): boolean => parseLog(postern.running.output()).some(({ msg }) => /the one that was started: until it is/.test(String(msg)))
  await until('the change to be told', changed, { detail: () => postern.running.output() })
  signal(postern, 'SIGHUP')
  const [refused] = await postern.logged('the new configuration cannot be used; the old one stays')
  assert.match(String(refused?.['cause']), /restart Postern/)
  assert.deepEqual(postern.workers(), [second])
  const dialog = await postern.open()
  assert.equal((await dialog.message({ to: 'ann@example.org', data: MESSAGE })).status, 250)
  dialog.close()
  // As it was: whoever dies next is replaced.
  writeFileSync(main, before)
  process.kill(second, 'SIGKILL')
  await postern.logged('worker is ready', 3)
  for (const line of parseLog(postern.running.output())) assert.doesNotMatch(String(line.msg), /bug/)
  const again = await postern.open()
  assert.equal((await again.message({ to: 'ann@example.org', data: MESSAGE })).status, 250)
  again.close()
})
