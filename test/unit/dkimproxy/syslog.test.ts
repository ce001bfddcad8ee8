/** The way to the system's log, with programs of the test's own in logger's place. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Syslog } from '../../../src/dkimproxy/syslog.ts'
import { temporaryDirectory, until } from '../../support/process.ts'

const directory = temporaryDirectory('syslog')

function program(name: string, script: string): string {
  const file = join(directory, name)
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
  return file
}

function text(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

test('lines go to logger, with the name and the facility', async () => {
  const [lines, args] = [join(directory, 'lines'), join(directory, 'args')]
  const syslog = new Syslog({ ident: 'dkimproxy.out', facility: 'mail', pid: 7, err: () => undefined, command: program('good', `echo "$@" >${args}; exec cat >>${lines}`) })
  await syslog.start()
  syslog.write('one')
  syslog.write('two\nlines')
  await syslog.close(5000)
  assert.equal(text(lines), 'one\ntwo lines\n')
  assert.equal(text(args), '-t dkimproxy.out[7] -p mail.info\n')
})

test('where there is no logger the start fails', async () => {
  await assert.rejects(new Syslog({ ident: 'x', facility: 'mail', pid: 1, err: () => undefined, command: join(directory, 'nowhere'), after: () => undefined }).start(), /ENOENT/)
})

test('a logger that dies is started again, and that lines may be missing is said', async () => {
  const lines = join(directory, 'again')
  const said: string[] = []
  // It takes one line, then dies; the next one stays.
  const command = program('dying', `if [ -e ${lines} ]; then exec cat >>${lines}; fi; head -n 1 >${lines}`)
  const syslog = new Syslog({ ident: 'x', facility: 'mail', pid: 1, err: (line) => said.push(line), command, after: (_, action) => void setImmediate(action) })
  await syslog.start()
  syslog.write('first')
  await until('logger has ended', () => said.length > 0)
  syslog.write('second')
  await until('the log goes on', () => text(lines).includes('second'))
  await syslog.close(5000)
  assert.match(text(lines), /^first\n(?:second\n)?logger ended \(exit code 0\) and was started again; the last lines before this one may be missing\n(?:second\n)?$/)
  assert.match(said[0] ?? '', /^x: logger ended/)
})

test('what does not fit is counted, and told later', async () => {
  const [lines, gate] = [join(directory, 'late'), join(directory, 'gate')]
  const said: string[] = []
  const command = program('late', `while [ ! -e ${gate} ]; do sleep 0.02; done; exec cat >>${lines}`)
  const syslog = new Syslog({ ident: 'x', facility: 'mail', pid: 1, err: (line) => said.push(line), command })
  await syslog.start()
  const long = 'y'.repeat(1000)
  for (let i = 0; i < 1500; i++) syslog.write(long)
  assert.match(said.join(''), /does not take lines/)
  writeFileSync(gate, '')
  await until('the loss is told', () => text(lines).includes('lines of this log were lost'))
  const told = Number(/^(\d+) lines of this log were lost/m.exec(text(lines))?.[1])
  await syslog.close(5000)
  assert.equal(text(lines).split('\n').filter((line) => line === long).length + told, 1500)
})
