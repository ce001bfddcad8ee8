/** Folders of rules: which files count, and what is told of those that cannot be read. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { MAX_SOURCE_BYTES } from '../../../../src/config/source.ts'
import { readRuleFiles, shippedRulesFolder } from '../../../../src/spam/rules/folders.ts'
import { loadRules } from '../../../../src/spam/rules/load.ts'
import { told } from '../../../support/rules.ts'

test('files that end in .yaml, in the order of their names; what cannot be read is told', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-rules-'))
  try {
    for (const name of ['b.yaml', 'a.yaml', '.hidden.yaml', 'readme.txt', 'c.yaml~']) await writeFile(join(folder, name), `# ${name}\nrules: []\n`)
    await mkdir(join(folder, 'folder.yaml'))
    const { files, problems } = await readRuleFiles({ shipped: false, paths: [folder] })
    assert.deepEqual(files.map(({ source, text, site }) => [source, text.split('\n')[0], site]), [[join(folder, 'a.yaml'), '# a.yaml', true], [join(folder, 'b.yaml'), '# b.yaml', true]])
    assert.equal(problems.length, 1)
    assert.match(told(problems)[0] ?? '', /folder\.yaml:-: cannot be read: /)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('nobody waits for a pipe, nor for a device: they are told as no files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-rules-'))
  try {
    execFileSync('mkfifo', [join(folder, 'pipe.yaml')])
    await writeFile(join(folder, 'whole.yaml'), 'rules: []\n')
    const { files, problems } = await readRuleFiles({ shipped: false, paths: [folder, join(folder, 'pipe.yaml'), '/dev/null'] })
    assert.deepEqual(files.map(({ source }) => source), [join(folder, 'whole.yaml')])
    assert.deepEqual(told(problems).map((line) => /cannot be read: it is no plain file/.test(line)), [true, true, true])
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a file that is too large is refused and not held', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-rules-'))
  try {
    await writeFile(join(folder, 'large.yaml'), `#${'x'.repeat(2 * MAX_SOURCE_BYTES)}`)
    const { files } = await readRuleFiles({ shipped: false, paths: [join(folder, 'large.yaml')] })
    assert.equal(files[0]?.text.length, MAX_SOURCE_BYTES + 1)
    assert.match(told(loadRules({ files }).problems)[0] ?? '', /is larger than 1048576 bytes/)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('the shipped folder comes first; a folder that is not there is told', async () => {
  const own = join(shippedRulesFolder(), 'gtube.yaml')
  assert.ok(existsSync(own))
  const { files: both } = await readRuleFiles({ shipped: true, paths: [own] })
  assert.deepEqual(both.filter(({ source }) => source === own).map(({ site }) => site), [false, true])
  const { files, problems } = await readRuleFiles({ shipped: true, paths: ['/nowhere/at/all'] })
  assert.ok(files.length > 5 && files.every(({ site }) => !site))
  assert.match(told(problems)[0] ?? '', /^\/nowhere\/at\/all:-: cannot be read: ENOENT/)
})
