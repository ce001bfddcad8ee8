import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readPasswordFile } from '../../../src/delivery/password-file.ts'

const directory = mkdtempSync(join(tmpdir(), 'postern-password-'))
after(() => rmSync(directory, { recursive: true }))

function file(content: string | Buffer, mode = 0o600): string {
  const path = join(directory, 'relay.pw')
  rmSync(path, { force: true })
  writeFileSync(path, content)
  chmodSync(path, mode)
  return path
}

async function problem(path: string): Promise<string> {
  const result = await readPasswordFile(path)
  return result.status === 'unusable' ? result.problem : 'ok'
}

test('the password is the first line, as it stands', async () => {
  for (const [content, password] of [['secret', 'secret'], ['secret\n', 'secret'], ['secret\r\n', 'secret'], [' sec ret \n\n', ' sec ret '], ['geheim€\n', 'geheim€']] as const) {
    assert.deepEqual(await readPasswordFile(file(content)), { status: 'ok', password })
  }
})

test('permissions', async () => {
  for (const mode of [0o600, 0o400, 0o640, 0o440, 0o700]) assert.equal(await problem(file('x', mode)), 'ok', mode.toString(8))
  for (const mode of [0o644, 0o604, 0o602, 0o601, 0o660, 0o620, 0o610, 0o666, 0o777]) {
    assert.match(await problem(file('x', mode)), new RegExp(`^its permissions 0${mode.toString(8)} are too open`), mode.toString(8))
  }
})

test('a link leads to a file, whose permissions count', async () => {
  const link = join(directory, 'link')
  symlinkSync(file('x', 0o600), link)
  assert.equal(await problem(link), 'ok')
  chmodSync(join(directory, 'relay.pw'), 0o644)
  assert.match(await problem(link), /too open/)
})

test('what holds no password, and no word of what it holds', async () => {
  mkdirSync(join(directory, 'folder'), { mode: 0o700 })
  for (const [path, expected] of [
    [join(directory, 'absent'), /cannot be read: ENOENT/], [join(directory, 'folder'), /no regular file/],
  ] as const) assert.match(await problem(path), expected)
  for (const [content, expected] of [
    ['', /first line is empty/], ['\nhunter2\n', /first line is empty/], ['hunter2\nhunter3\n', /more than one line/], ['hunter2\0', /control character/], ['hunter2\t', /control character/],
    [Buffer.from('hunter2\xff', 'latin1'), /not UTF-8/], ['hunter2'.repeat(1000), /7000 bytes/],
  ] as const) {
    const said = await problem(file(content))
    assert.match(said, expected)
    assert.doesNotMatch(said, /hunter/)
  }
})
