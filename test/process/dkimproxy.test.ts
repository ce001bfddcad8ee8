/** dkimproxy.out as a process: exit codes, background, pid file, another user, SIGHUP and SIGTERM. */
import assert from 'node:assert/strict'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { CaptureSink } from '../support/capture-sink.ts'
import { SOURCES, startProxy } from '../support/dkimproxy.ts'
import { account } from '../support/peers/programs.ts'
import { freePort } from '../support/ports.ts'
import { run, start, temporaryDirectory, until } from '../support/process.ts'
import { writeKey } from '../support/signature-check.ts'
import { Dialog } from '../support/smtp-dialog.ts'

const directory = temporaryDirectory('process')
const key = join(directory, 'key')
writeKey(key)
const asRoot = process.getuid?.() === 0

function started(...argv: readonly string[]): ReturnType<typeof run> {
  return run([process.execPath, SOURCES['dkimproxy.out'], ...argv], { cwd: directory })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('dkimproxy.out as a process', () => {
  let relay: CaptureSink
  let places: readonly string[]
  let port: number
  before(async () => {
    relay = await CaptureSink.start()
  })
  after(() => relay.stop())

  async function configuration(): Promise<readonly string[]> {
    port = await freePort()
    places = [`listen 127.0.0.1:${port}`, `relay ${relay.target}`, 'domain example.com', `keyfile ${key}`, 'selector sel']
    return places
  }

  async function send(): Promise<string> {
    const dialog = await Dialog.open({ port })
    await dialog.hello()
    assert.equal((await dialog.message({ to: 'b@b.example', data: Buffer.from('From: a@example.com\r\nSubject: x\r\n\r\ntext\r\n') })).status, 250)
    await dialog.quit()
    const [message] = relay.messages.splice(0)
    return message?.data.toString('latin1') ?? ''
  }

  test('exit codes', async () => {
    const file = join(directory, 'wrong.conf')
    writeFileSync(file, 'listen 1\nrelay x\nchroot /\n')
    const table: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['--help'], 0, /--conf_file=FILE/], [['--nonsense'], 64, /there is no option --nonsense/], [['one'], 64, /1 arguments/], [['--conf_file=nowhere'], 66, /nowhere: cannot be read/],
      [[`--conf_file=${file}`], 78, /wrong\.conf:3: chroot/], [['--domain=x', '--selector=s', '--keyfile=nowhere', '127.0.0.1:0', '127.0.0.1:1'], 78, /key \S+nowhere is not there/],
      [[`--domain=x`, '--selector=s', `--keyfile=${key}`, `127.0.0.1:${relay.target.split(':')[1] ?? ''}`, '127.0.0.1:1'], 75, /EADDRINUSE/],
    ]
    for (const [argv, code, wanted] of table) {
      const ran = await started(...argv)
      assert.equal(ran.code, code, `${argv.join(' ')}\n${ran.output}`)
      assert.match(ran.output, wanted)
    }
  })

  test('signs, reads keys again on SIGHUP, keeps the old ones where the new are bad, ends with 0', async () => {
    const proxy = await startProxy('dkimproxy.out', await configuration())
    assert.match(await send(), /^DKIM-Signature: [^]*s=sel;/)
    const old = readFileSync(key)
    chmodSync(key, 0o644)
    proxy.running.signal('SIGHUP')
    await until('it has looked', () => proxy.output().includes('what was read before stays'))
    assert.match(proxy.output(), /open to every user of the machine/)
    assert.match(await send(), /^DKIM-Signature: /)
    chmodSync(key, 0o600)
    writeFileSync(key, old)
    proxy.running.signal('SIGHUP')
    await until('it has looked again', () => proxy.output().includes('maps and keys were read again'))
    await proxy.stop()
    assert.match(proxy.output(), /stopping on SIGTERM\nstopped\n$/)
  })

  test('into the background: 0 once it listens, with its pid in the file; its trouble comes to the foreground', async () => {
    const [file, pidFile, logFile] = [join(directory, 'background.conf'), join(directory, 'pid'), join(directory, 'log')]
    writeFileSync(file, `${[...(await configuration()), `log_file ${logFile}`, `pidfile ${pidFile}`].join('\n')}\n`)
    const ran = await started(`--conf_file=${file}`, '--daemonize')
    assert.equal(ran.code, 0, ran.output)
    const pid = Number(readFileSync(pidFile, 'latin1'))
    try {
      assert.match(await send(), /^DKIM-Signature: /)
      const second = await started(`--conf_file=${file}`, '--daemonize', `--pidfile=${pidFile}2`)
      assert.equal(second.code, 75, second.output)
      assert.match(second.output, /EADDRINUSE/)
      const third = await started(`--conf_file=${file}`, '--listen=127.0.0.1:0', '--daemonize')
      // A failure leaves no process behind.
      if (third.code === 0) process.kill(Number(readFileSync(pidFile, 'latin1')), 'SIGTERM')
      assert.equal(third.code, 75, third.output)
      assert.match(third.output, new RegExp(`pidfile ${pidFile} is that of process ${pid}, which runs`))
      const fourth = await started(`--conf_file=${file}`, '--listen=127.0.0.1:0', '--chroot=/')
      assert.equal(fourth.code, 78, fourth.output)
      assert.equal(readFileSync(pidFile, 'latin1'), `${pid}\n`)
    } finally {
      process.kill(pid, 'SIGTERM')
    }
    await until('it is gone', () => !isAlive(pid))
    assert.equal(existsSync(pidFile), false)
    assert.match(readFileSync(logFile, 'latin1'), /^\d{4}\/\d\d\/\d\d-\d\d:\d\d:\d\d DKIM signing - signed; signer=<@example\.com>, from=<a@example\.com>$/m)
  })

  test('as another user, with a key that only root and the group may read', { skip: asRoot ? false : 'needs root' }, async () => {
    const { uid, gid } = account('nobody')
    chownSync(key, 0, gid)
    chmodSync(key, 0o640)
    const proxy = await startProxy('dkimproxy.out', [...(await configuration()), 'user nobody'])
    try {
      assert.match(await send(), /^DKIM-Signature: /)
      const status = readFileSync(`/proc/${proxy.running.pid}/status`, 'latin1')
      assert.match(status, new RegExp(`^Uid:\\t${uid}\\t${uid}\\t${uid}`, 'm'))
      assert.match(status, new RegExp(`^Gid:\\t${gid}\\t${gid}\\t${gid}`, 'm'))
      assert.doesNotMatch(status, /^Groups:.*\b0\b/m)
    } finally {
      await proxy.stop()
      chownSync(key, 0, 0)
      chmodSync(key, 0o600)
    }
    const wrong = await started(...places.map((line) => `--${line.replace(' ', '=')}`), '--user=nobody-of-that-name')
    assert.equal(wrong.code, 78, wrong.output)
    assert.match(wrong.output, /^dkimproxy\.out: there is no user nobody-of-that-name\n$/)
  })

  describe('as another user', { skip: asRoot ? false : 'needs root' }, () => {
    const asNobody = async (...more: readonly string[]): Promise<readonly string[]> => [...(await configuration()), 'user nobody', ...more].map((line) => `--${line.replace(' ', '=')}`)

    test('the log is the user\'s, and has all lines', async () => {
      const { uid, gid } = account('nobody')
      const place = temporaryDirectory('log')
      const [logFile, pidFile] = [join(place, 'log'), join(place, 'pid')]
      const ran = await started(...(await asNobody(`log_file ${logFile}`, `pidfile ${pidFile}`)), '--daemonize')
      assert.equal(ran.code, 0, ran.output)
      const pid = Number(readFileSync(pidFile, 'latin1'))
      try {
        const { uid: owner, gid: group, mode } = statSync(logFile)
        assert.deepEqual([owner, group, mode & 0o777], [uid, gid, 0o640])
        assert.match(await send(), /^DKIM-Signature: /)
      } finally {
        process.kill(pid, 'SIGTERM')
      }
      await until('it is gone', () => !isAlive(pid))
      assert.match(readFileSync(logFile, 'latin1'), /warning: [^]*started, listening on [^]*DKIM signing - signed; [^]*stopping on SIGTERM[^]*stopped\n$/)
    })

    test('a log that the user cannot write ends the start', async () => {
      const place = temporaryDirectory('log')
      const theirs = join(place, 'theirs')
      writeFileSync(theirs, '')
      chownSync(theirs, 1, 1)
      for (const file of [theirs, join(place, 'nowhere', 'log')]) {
        const refused = await started(...(await asNobody(`log_file ${file}`)))
        assert.notEqual(refused.code, 0)
        assert.ok(refused.output.includes(`'${file}'`), refused.output)
      }
      const refused = await started(...(await asNobody(`log_file ${theirs}`)), '--daemonize')
      assert.equal(refused.code, 77)
      assert.match(refused.output, /^dkimproxy\.out: log_file \S+theirs cannot be written by nobody: EACCES/)
    })

    test('root makes no log behind a link, nor in a directory of the user', async () => {
      const { uid } = account('nobody')
      const place = temporaryDirectory('log')
      const [theirs, precious] = [join(place, 'theirs'), join(place, 'precious')]
      mkdirSync(theirs)
      for (const link of [join(place, 'link'), join(theirs, 'link')]) symlinkSync(precious, link)
      chownSync(theirs, uid, -1)
      for (const link of [join(place, 'link'), join(theirs, 'link')]) {
        const refused = await started(...(await asNobody(`log_file ${link}`)))
        assert.equal(refused.code, 77, refused.output)
        assert.equal(existsSync(precious), false)
      }
    })

    test('logger is the user\'s process', async () => {
      const place = temporaryDirectory('logger')
      const [program, who] = [join(place, 'logger'), join(place, 'who')]
      writeFileSync(program, `#!/bin/sh\nid -u >${who}\nexec cat >/dev/null\n`)
      chmodSync(program, 0o755)
      writeFileSync(who, '')
      chmodSync(who, 0o666)
      const proxy = start([process.execPath, SOURCES['dkimproxy.out'], ...(await asNobody('log_file Sys::Syslog'))], { env: { PATH: `${place}:${process.env['PATH'] ?? ''}` } })
      await until('logger runs', () => readFileSync(who, 'latin1').includes('\n') || proxy.hasEnded(), { detail: () => proxy.output() })
      await proxy.stop()
      assert.equal(readFileSync(who, 'latin1'), `${account('nobody').uid}\n`)
    })
  })

  test('what cannot be signed goes out unsigned, or waits with --reject-error', async () => {
    const map = join(directory, 'map')
    writeFileSync(map, 'example.com dkim(key=nowhere)\n')
    for (const argv of [[], ['--reject-error']]) {
      const proxy = await startProxy('dkimproxy.out', [...(await configuration()), `sender_map ${map}`], argv)
      try {
        const dialog = await Dialog.open({ port })
        await dialog.hello()
        const reply = await dialog.message({ to: 'b@b.example', data: Buffer.from('From: a@example.com\r\n\r\ntext\r\n') })
        if (argv.length === 0) assert.equal(reply.status, 250)
        else assert.match(reply.text, /^450 DKIM - temperror \(key \S+nowhere is not there/)
        await dialog.quit()
        assert.deepEqual(relay.messages.splice(0).map(({ data }) => data.toString()), argv.length === 0 ? ['From: a@example.com\r\n\r\ntext\r\n'] : [])
        assert.match(proxy.output(), /^signing error: key \S+nowhere is not there/m)
      } finally {
        await proxy.stop()
      }
    }
  })
})
