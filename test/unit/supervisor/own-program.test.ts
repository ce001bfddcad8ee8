/** Whether the files of a program are still those that it was started from. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { OwnProgram } from '../../../src/supervisor/own-program.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { fakeLog, type Line } from './fakes.ts'

function install(): { program: OwnProgram; write: (name: string, text: string) => void; remove: (name: string) => void; touch: (name: string) => void; lines: Line[] } {
  const root = temporaryDirectory('program')
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  write('package.json', '{"version":"1"}')
  write('node_modules/.package-lock.json', '{}')
  write('dist/main.js', 'a')
  write('dist/inner/part.js', 'b')
  const { log, lines } = fakeLog()
  let time = 1_000_000
  return {
    program: new OwnProgram(join(root, 'dist'), log), write, lines,
    remove: (name) => rmSync(join(root, name), { recursive: true }),
    touch: (name) => utimesSync(join(root, name), ++time, time),
  }
}

test('it is as it was started while nothing is written, or the same is written again', () => {
  const { program, write, touch, lines } = install()
  program.remember()
  assert.equal(program.isAsStarted(), true)
  write('dist/inner/part.js', 'b')
  touch('dist/inner/part.js')
  write('dist/main.d.map', 'x')
  write('docs/operations.md', 'x')
  assert.equal(program.isAsStarted(), true)
  assert.equal(program.isAsStarted(), true)
  assert.deepEqual(lines, [])
})

for (const [what, change, back] of [
  ['a file with other text of the same length', ['dist/inner/part.js', 'c'], ['dist/inner/part.js', 'b']],
  ['a file that is gone', ['dist/main.js'], ['dist/main.js', 'a']],
  ['the folder gone, as while it is built', ['dist'], undefined],
  ['one more file', ['dist/other.js', ''], ['dist/other.js']],
  ['another version', ['package.json', '{"version":"2"}'], ['package.json', '{"version":"1"}']],
  ['packages that are being installed', ['node_modules'], ['node_modules/.package-lock.json', '{}']],
] as const) {
  test(`${what}: told once, and once when it is as it was`, () => {
    const { program, write, remove, touch, lines } = install()
    program.remember()
    const apply = ([name, text]: readonly [string, string?]): void => {
      if (text === undefined) return remove(name)
      write(name, text)
      // A second file system look may come within the clock's grain.
      touch(name)
    }
    apply(change)
    assert.equal(program.isAsStarted(), false)
    assert.equal(program.isAsStarted(), false)
    assert.deepEqual(lines.map(({ level }) => level), ['error'])
    assert.match(lines[0]?.text ?? '', /restart Postern/)
    if (back === undefined) return
    apply(back)
    assert.equal(program.isAsStarted(), true)
    assert.deepEqual(lines.map(({ level }) => level), ['error', 'info'])
  })
}

test('what was never remembered is not said to have changed, and where it cannot be that is told', () => {
  const { program, write, remove, lines } = install()
  write('dist/main.js', 'other')
  assert.equal(program.isAsStarted(), true)
  assert.deepEqual(lines, [])
  remove('dist')
  program.remember()
  assert.equal(program.isAsStarted(), true)
  assert.deepEqual(lines.map(({ level, text }) => [level, text]), [['warn', 'the files of this program cannot be read: whether they change is not watched']])
})
