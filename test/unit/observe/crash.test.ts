/** A crash is written down, with its stack, and ends the process with 70. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const SRC = join(import.meta.dirname, '../../../src/observe')

function crash(program: string): { status: number | null; stdout: string; stderr: string } {
  const script = `import { installCrashHandler, logCrashesTo } from '${SRC}/crash.ts'
    import { createLog } from '${SRC}/create-log.ts'
    installCrashHandler()
    ${program}`
  return spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8', env: {}, timeout: 30_000 })
}

test('before there is a log: to standard error', () => {
  const { status, stdout, stderr } = crash("setImmediate(() => { throw new TypeError('oops') })")
  assert.equal(status, 70)
  assert.equal(stdout, '')
  assert.match(stderr, /^postern: TypeError: oops\n {4}at /)
})

test('a rejection that nobody handles, with a log: to the log, after the lines before it', () => {
  const { status, stdout } = crash(
    "const log = createLog({ level: 'info', format: 'json' }); logCrashesTo(log); log.info({}, 'before'); void Promise.reject(new TypeError('oops'))",
  )
  assert.equal(status, 70)
  const lines = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { level: string; msg: string; err?: { message: string; stack: string } })
  assert.deepEqual(lines.map(({ level, msg }) => `${level} ${msg}`), ['info before', 'error a bug in Postern: the process ends'])
  assert.equal(lines[1]?.err?.message, 'oops')
  assert.match(lines[1].err.stack, /TypeError: oops\n/)
})
