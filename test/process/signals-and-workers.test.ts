/**
 * Postern as a process: supervisor and workers, signals, exit codes, systemd.
 * Needs no other program. What happens to mail when processes are killed at
 * random under load is test/interop/kill.test.ts's business.
 */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { describe, test } from 'node:test'
import { accepts, parseLog } from '../support/gateway.ts'
import { delivered, isAlive, launch, MAIN, MESSAGE, signal } from '../support/launched.ts'
import { freePort } from '../support/ports.ts'
import { run, start, temporaryDirectory, until } from '../support/process.ts'
import { Dialog } from '../support/smtp-dialog.ts'

describe('workers', () => {
  test('share the listening sockets, TCP and unix, and each says who it is in the log', async (t) => {
    const directory = temporaryDirectory('socket')
    const port = await freePort()
    const path = join(directory, 'in')
    const postern = await launch(t, { workers: 2, listen: [`127.0.0.1:${port}`, `unix:${path}`] })
    await postern.logged('started')
    const workers = postern.workers()
    assert.equal(workers.length, 2)
    const seen = (): Set<unknown> => new Set(parseLog(postern.running.output()).filter(({ msg }) => msg === 'message').map(({ pid }) => pid))
    for (const address of [{ port }, { path }]) {
      for (let i = 0; i < 10; i++) {
        // Ten at once, so that one worker alone is never the quickest for all.
        await Promise.all(Array.from({ length: 10 }, async () => {
          const dialog = await Dialog.open(address)
          await dialog.hello()
          assert.equal((await dialog.message({ to: 'ann@example.org', data: MESSAGE })).status, 250)
          await dialog.quit()
        }))
        if (seen().size === 2) break
      }
    }
    assert.deepEqual([...seen()].sort(), workers.sort())
    signal(postern, 'SIGTERM')
    assert.equal(await postern.exitCode(), 0)
    assert.ok(!existsSync(path))
  })

  test('one that is killed is replaced, and its sessions alone are hurt', async (t) => {
    const postern = await launch(t, { workers: 2 })
    await postern.logged('started')
    const before = postern.workers()
    const sessions = await Promise.all(Array.from({ length: 12 }, () => postern.open()))
    const [victim] = before
    assert.ok(victim !== undefined)
    process.kill(victim, 'SIGKILL')
    const [death] = await postern.logged('worker died and is replaced')
    assert.equal(death?.['signal'], 'SIGKILL')
    assert.equal(death['againInMs'], 0)
    await until('a new worker', () => postern.workers().length === 2)
    const outcomes = await Promise.all(sessions.map((session) => session.message({ to: 'bob@example.org', data: MESSAGE })))
    const accepted = outcomes.filter(({ status }) => status === 250).length
    assert.ok(outcomes.every(({ status }) => status === 250 || status === 0))
    assert.equal(delivered(postern, 'bob'), accepted)
    // Not one of the new ones is lost.
    for (let i = 0; i < 20; i++) (await postern.open()).close()
    assert.ok(!postern.workers().includes(victim))
    for (const session of sessions) session.close()
  })

  test('that die again and again leave a supervisor that waits, and does not end because it has nothing else to do', async (t) => {
    const postern = await launch(t, { workers: 1 })
    await postern.logged('started')
    for (let deaths = 1; deaths <= 2; deaths++) {
      for (const pid of postern.workers()) process.kill(pid, 'SIGKILL')
      await postern.logged('worker died and is replaced', deaths)
      await postern.logged('worker is ready', deaths + 1)
    }
    assert.ok(!postern.running.hasEnded())
  })

  test('that lose their supervisor finish what they do and end', async (t) => {
    const directory = temporaryDirectory('orphans')
    const path = join(directory, 'in')
    const port = await freePort()
    const postern = await launch(t, { workers: 2, listen: [`127.0.0.1:${port}`, `unix:${path}`] })
    await postern.logged('started')
    const workers = postern.workers()
    const dialog = await Dialog.open({ port })
    await dialog.hello()
    await dialog.command('MAIL FROM:<a@client.example>', 250)
    await dialog.command('RCPT TO:<carol@example.org>', 250)
    await dialog.command('DATA', 354)
    signal(postern, 'SIGKILL')
    await until('the port to be closed', async () => !(await accepts({ port })))
    await dialog.send('Subject: x\r\n\r\nstill here\r\n.\r\n')
    assert.equal((await dialog.reply()).status, 250)
    assert.equal(delivered(postern, 'carol'), 1)
    dialog.close()
    await until('the end of the workers', () => workers.every((pid) => !isAlive(pid)))
    // The socket file is left behind, and no hindrance to the next start.
    assert.ok(existsSync(path))
    const again = start([process.execPath, MAIN, 'run', '--config', postern.file])
    t.after(() => again.stop())
    await until('a start', () => /"msg":"started"/.test(again.output()), { detail: () => again.output() })
    const reopened = await Dialog.open({ path })
    await reopened.hello()
    reopened.close()
  })
})

describe('signals', () => {
  for (const workers of [0, 2]) {
    test(`SIGTERM lets a message come to its end, then 0 (workers: ${workers})`, async (t) => {
      const postern = await launch(t, { workers })
      await postern.logged('started')
      const dialog = await postern.open()
      await dialog.command('MAIL FROM:<a@client.example>', 250)
      await dialog.command('RCPT TO:<ann@example.org>', 250)
      await dialog.command('DATA', 354)
      await dialog.send('Subject: x\r\n\r\nfirst half\r\n')
      signal(postern, 'SIGTERM')
      await until('the port to be closed', async () => !(await accepts({ port: postern.port })))
      await dialog.send('second half\r\n.\r\n')
      assert.equal((await dialog.reply()).status, 250)
      assert.equal(await postern.exitCode(), 0)
      assert.equal(delivered(postern, 'ann'), 1)
      assert.deepEqual(parseLog(postern.running.output()).at(-1)?.['msg'], 'stopped')
    })

    test(`a second SIGINT ends at once, with 130 (workers: ${workers})`, async (t) => {
      const postern = await launch(t, { workers })
      await postern.logged('started')
      const dialog = await postern.open()
      await dialog.command('MAIL FROM:<a@client.example>', 250)
      await dialog.command('RCPT TO:<ann@example.org>', 250)
      await dialog.command('DATA', 354)
      const children = postern.workers()
      signal(postern, 'SIGINT')
      await postern.logged('stopping')
      signal(postern, 'SIGINT')
      assert.equal(await postern.exitCode(), 130)
      await until('the end of the workers', () => children.every((pid) => !isAlive(pid)))
      assert.equal((await dialog.reply()).status, 0)
    })

    test(`SIGHUP: new settings without dropping a session; a bad file changes nothing (workers: ${workers})`, async (t) => {
      const postern = await launch(t, { workers })
      await postern.logged('started')
      const dialog = await postern.open()
      assert.equal((await dialog.message({ to: 'ann@second.example', data: MESSAGE })).status, 550)
      await dialog.command('RSET', 250)

      writeFileSync(postern.file, 'hostname: mx.example.org\ndomain: [x]\nlimits: { sessions: none }\n')
      signal(postern, 'SIGHUP')
      await postern.logged('the new configuration is wrong; the old one stays')
      const errors = (await postern.logged('error in the new configuration', 2)).map(({ cause }) => String(cause))
      assert.ok(errors.some((text) => /postern\.yaml:2:.*did you mean "domains"/.test(text)), errors.join('\n'))
      assert.ok(errors.some((text) => /postern\.yaml:3:.*limits\.sessions/.test(text)), errors.join('\n'))
      assert.equal((await dialog.message({ to: 'ann@example.org', data: MESSAGE })).status, 250)

      const port = await freePort()
      const listeners = [
        { name: 'inbound', role: 'inbound', listen: [`127.0.0.1:${postern.port}`], next: 'local' },
        { name: 'second', role: 'inbound', listen: [`127.0.0.1:${port}`], next: 'local' },
      ]
      postern.write({ domains: ['example.org', 'second.example'], listeners, workers: workers === 0 ? 0 : 3 })
      signal(postern, 'SIGHUP')
      await postern.logged('configuration reloaded')
      if (workers > 0) await until('a third worker', () => postern.workers().length === 3)
      for (const address of [{ port: postern.port }, { port }]) {
        const fresh = await Dialog.open(address)
        await fresh.hello()
        assert.equal((await fresh.message({ to: 'ann@second.example', data: MESSAGE })).status, 250)
        await fresh.quit()
      }
      await dialog.command('NOOP', 250)
      dialog.close()
    })
  }

  test('SIGHUP with an address that cannot be had keeps everything as it was', async (t) => {
    const taken = createServer()
    await new Promise<void>((resolve) => void taken.listen(0, '127.0.0.1', resolve))
    t.after(() => taken.close())
    const address = taken.address()
    assert.ok(address !== null && typeof address === 'object')
    const postern = await launch(t, { workers: 2 })
    await postern.logged('started')
    const listen = [`127.0.0.1:${postern.port}`, `127.0.0.1:${address.port}`]
    postern.write({ hostname: 'new.example', listeners: [{ name: 'inbound', role: 'inbound', listen, next: 'local' }] })
    signal(postern, 'SIGHUP')
    const [line] = await postern.logged('the new configuration cannot be used; the old one stays')
    assert.match(String(line?.['cause']), /EADDRINUSE/)
    const dialog = await Dialog.open({ port: postern.port })
    assert.match((await dialog.expect(220)).text, /mx\.example\.org/)
    dialog.close()
    // What was started for the new configuration takes its time to end.
    await until('the two workers of before alone', () => postern.workers().length === 2)
  })
})

describe('SIGHUP that narrows an address', () => {
  for (const workers of [0, 2]) {
    test(`is told to need a restart, and the old one stays (workers: ${workers})`, async (t) => {
      const port = await freePort()
      const postern = await launch(t, { workers, listen: [`0.0.0.0:${port}`] })
      await postern.logged('started')
      postern.write({ listeners: [{ name: 'inbound', role: 'inbound', listen: [`127.0.0.1:${port}`], next: 'local' }] })
      signal(postern, 'SIGHUP')
      const [line] = await postern.logged('the new configuration cannot be used; the old one stays')
      assert.equal(line?.['cause'], `127.0.0.1:${port} is still bound by this Postern as 0.0.0.0:${port}; restart to narrow it`)
      const dialog = await Dialog.open({ port })
      await dialog.hello()
      dialog.close()
    })
  }
})

describe('a start that cannot succeed ends with the reason and the right code', () => {
  for (const workers of [0, 2]) {
    test(`an address in use: 75 (workers: ${workers})`, async (t) => {
      const taken = createServer()
      await new Promise<void>((resolve) => void taken.listen(0, '127.0.0.1', resolve))
      t.after(() => taken.close())
      const address = taken.address()
      assert.ok(address !== null && typeof address === 'object')
      const postern = await launch(t, { workers, listen: [`127.0.0.1:${address.port}`] })
      assert.equal(await postern.exitCode(), 75)
      const [line] = await postern.logged('cannot start')
      assert.match(String(line?.['cause']), /EADDRINUSE/)
      assert.match(postern.running.output(), /Another program listens there/)
    })
  }

  test('a wrong configuration: 78, with all its errors', async () => {
    const directory = temporaryDirectory('wrong')
    writeFileSync(join(directory, 'postern.yaml'), 'listners: []\nworkers: many\n')
    const { code, output } = await run([process.execPath, MAIN, 'run'], { cwd: directory })
    assert.equal(code, 78)
    assert.match(output, /postern\.yaml:1:1: listners: .*did you mean "listeners"/)
    assert.match(output, /postern\.yaml:2:\d+: workers: /)
  })

  test('a configuration that is not there: 66; wrong usage: 64', async () => {
    assert.equal((await run([process.execPath, MAIN, 'run', '--config', '/nowhere/postern.yaml'])).code, 66)
    assert.equal((await run([process.execPath, MAIN, 'start'])).code, 64)
  })
})

describe('around it', () => {
  test('a newcomer without a file gets a welcome, and the first message lands where it says', async (t) => {
    const directory = temporaryDirectory('newcomer')
    const port = await freePort()
    const running = start([process.execPath, MAIN, 'run'], { cwd: directory, env: { POSTERN_LISTENERS_INBOUND_LISTEN: `127.0.0.1:${port}` } })
    t.after(() => running.stop())
    await until('a start', () => /"msg":"started"/.test(running.output()), { detail: () => running.output() })
    assert.match(running.output(), new RegExp(`swaks --server 127\\.0\\.0\\.1:${port} --to you@localhost`))
    const dialog = await Dialog.open({ port })
    await dialog.hello()
    assert.equal((await dialog.message({ to: 'you@localhost', data: MESSAGE })).status, 250)
    await dialog.quit()
    const [name] = readdirSync(join(directory, 'var/mail/localhost/you/new'))
    assert.ok(name !== undefined)
    assert.match(readFileSync(join(directory, 'var/mail/localhost/you/new', name), 'latin1'), /^Return-Path: <sender@client\.example>\n[^]*\nSubject: x\n\nhello\n$/)
  })

  test('systemd is told of readiness, reload and stop', async (t) => {
    const directory = temporaryDirectory('systemd')
    const out = join(directory, 'told')
    writeFileSync(join(directory, 'systemd-notify'), `#!/bin/sh\necho "$*" >> '${out}'\n`)
    chmodSync(join(directory, 'systemd-notify'), 0o755)
    const env = { NOTIFY_SOCKET: '/run/nowhere', PATH: directory + delimiter + (process.env['PATH'] ?? '') }
    const postern = await launch(t, { workers: 2, env })
    const told = (): string => (existsSync(out) ? readFileSync(out, 'utf8') : '')
    await until('READY', () => told().includes('READY=1'), { detail: () => postern.running.output() })
    assert.equal(told(), `READY=1 STATUS=2 workers, inbound 127.0.0.1:${postern.port}\n`)
    signal(postern, 'SIGHUP')
    await until('the end of the reload', () => told().split('READY=1').length === 3, { detail: () => postern.running.output() })
    signal(postern, 'SIGTERM')
    assert.equal(await postern.exitCode(), 0)
    await until('STOPPING', () => told().includes('STOPPING=1'))
    assert.deepEqual(told().trimEnd().split('\n').map((line) => line.split('=')[0]), ['READY', 'RELOADING', 'READY', 'STOPPING'])
  })

  test('health: 0 while it runs, 75 when it does not', async (t) => {
    const postern = await launch(t, { workers: 1 })
    await postern.logged('started')
    const ask = (): Promise<{ code: number | null; output: string }> => run([process.execPath, MAIN, 'health', '--config', postern.file])
    const well = await ask()
    assert.equal(well.code, 0)
    assert.match(well.output, /220 mx\.example\.org/)
    signal(postern, 'SIGTERM')
    await postern.exitCode()
    assert.equal((await ask()).code, 75)
  })

  test('the demonstration ends quietly and cleans up when its reader goes away', async () => {
    const directory = temporaryDirectory('demo')
    const { code, output } = await run(['/bin/bash', '-o', 'pipefail', '-c', '"$@" demo | head -n 1', 'bash', process.execPath, MAIN], { env: { TMPDIR: directory } })
    assert.deepEqual(readdirSync(directory), [])
    assert.equal(code, 0, output)
    assert.match(output, /^.*Postern demo.*\n$/)
  })

  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
    test(`the demonstration ends quietly and cleans up when ${signal} comes in its middle`, async () => {
      const directory = temporaryDirectory('demo')
      // It sends the signal to itself with each piece that it writes: several come, none too late.
      const hook = `const write = process.stdout.write.bind(process.stdout); process.stdout.write = (...a) => { process.kill(process.pid, '${signal}'); return write(...a) }`
      const outcome = await run([process.execPath, '--import', `data:text/javascript,${encodeURIComponent(hook)}`, MAIN, 'demo'], { env: { TMPDIR: directory } })
      assert.deepEqual(readdirSync(directory), [])
      assert.equal(outcome.code, code, outcome.output)
      assert.doesNotMatch(outcome.output, /as expected|Error/)
    })
  }

  test('a command whose reader goes away comes to its own exit code', async () => {
    const directory = temporaryDirectory('unread')
    const file = join(directory, 'postern.yaml')
    writeFileSync(file, 'listners: []\n')
    const command = '("$@"; echo "exit code $?" >&3) 3>&2 2>&1 | :'
    const { output } = await run(['/bin/bash', '-c', command, 'bash', process.execPath, MAIN, 'check', '--config', file])
    assert.equal(output, 'exit code 78\n')
  })

  test('the demonstration succeeds', async () => {
    const { code, output } = await run([process.execPath, MAIN, 'demo'])
    assert.equal(code, 0, output)
  })
})
