/** What a start of Postern looks at before it opens anything: whose the state directory is now, and as whom it runs. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { childrenOf, parseLog } from '../support/gateway.ts'
import { launch, MAIN, MESSAGE, signal } from '../support/launched.ts'
import { freePort } from '../support/ports.ts'
import { run, start, until } from '../support/process.ts'

for (const workers of [0, 2]) {
  test(`another gateway with the same state directory: 75, who it is, and none of its mail is hurt (workers: ${workers})`, async (t) => {
    const postern = await launch(t, { workers })
    await postern.logged('started')
    const port = await freePort()
    const second = join(postern.directory, 'second.yaml')
    writeFileSync(second, readFileSync(postern.file, 'utf8').replace(`127.0.0.1:${postern.port}`, `127.0.0.1:${port}`))
    const outcome = await run([process.execPath, MAIN, 'run', '--config', second])
    const [pid] = childrenOf(postern.running.pid)
    assert.equal(outcome.code, 75, outcome.output)
    assert.match(outcome.output, new RegExp(`^postern: ${join(postern.directory, 'state')}: another gateway works with this state directory \\(process ${pid} on `))
    for (const command of [['why', 'ABCDEFGHJK'], ['quarantine', 'list'], ['train', 'status']]) {
      const { output } = await run([process.execPath, MAIN, ...command, '--config', postern.file])
      assert.doesNotMatch(output, /another gateway|locked/)
    }
    const dialog = await postern.open()
    assert.equal((await dialog.message({ to: 'ann@example.org', data: MESSAGE })).status, 250)
    dialog.close()
    // What a crash leaves behind is in nobody's way: its workers, too, which may be at their last session.
    signal(postern, 'SIGKILL')
    await postern.exitCode()
    const next = start([process.execPath, MAIN, 'run', '--config', second])
    t.after(() => next.stop())
    await until('a start', () => /"msg":"started"/.test(next.output()), { detail: () => next.output() })
  })
}

test('root is told once that it need not be root', async (t) => {
  const postern = await launch(t, { workers: 2 })
  await postern.logged('started')
  const told = parseLog(postern.running.output()).filter(({ msg, level }) => level === 'warn' && /run as root/.test(String(msg)))
  assert.equal(told.length, process.geteuid?.() === 0 ? 1 : 0)
})
