/** docs/configuration.md is what the schema says, whole. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { Leaf, leavesOf, variableName } from '../../../src/config/leaf.ts'
import type { Group } from '../../../src/config/leaf.ts'
import { configurationReference } from '../../../src/config/reference.ts'
import { HOP_KINDS, LISTENER, ROOT } from '../../../src/config/schema.ts'

const document = configurationReference()

const GROUPS: readonly (readonly [Group, string])[] = [[ROOT, ''], [LISTENER, 'listeners[].'], ...Object.values(HOP_KINDS).map((kind) => [kind, 'hops.<name>.'] as const)]

test('the reference in docs/ is the one that is generated (npm run reference)', () => {
  assert.equal(readFileSync(join(import.meta.dirname, '../../../docs/configuration.md'), 'utf8'), document)
})

test('each key has its meaning, type, allowed values, default and variable', () => {
  for (const [group, prefix] of GROUPS) {
    for (const { path, leaf } of leavesOf(group)) {
      const heading = `# \`${prefix}${path.join('.')}\`\n\n`
      const start = document.indexOf(heading)
      assert.ok(start >= 0, `${prefix}${path.join('.')} has no heading`)
      const section = document.slice(start + heading.length).split('\n#')[0] ?? ''
      assert.ok(section.startsWith(leaf.about.doc) && leaf.about.doc.length > 20, heading)
      for (const line of ['- Type: ', '- Allowed: ', '- Default: ', '- Environment: ']) assert.ok(section.includes(line), `${heading} has no ${line}`)
    }
  }
})

test('each default is one that its own format takes', () => {
  for (const [group] of GROUPS) {
    for (const { path, leaf } of leavesOf(group)) {
      if (leaf.about.default !== null) assert.equal(leaf.format.read(leaf.about.default).status, 'read', path.join('.'))
      assert.equal(leaf.presence === 'default', leaf.about.default !== null, path.join('.'))
    }
  }
})

test('variables have names that a shell takes, each once', () => {
  const names = leavesOf(ROOT).map(({ path }) => variableName(path))
  assert.equal(new Set(names).size, names.length)
  for (const name of names) assert.match(name, /^POSTERN_[A-Z_]+$/)
  assert.ok(names.includes('POSTERN_LIMITS_MESSAGE_BYTES'))
  assert.ok(document.includes('`POSTERN_LISTENERS_<NAME>_TLS_CERT`'))
  assert.ok(document.includes('`POSTERN_HOPS_<NAME>_TIMEOUTS_FINAL`'))
})

test('a group and a key are told apart whatever they are called', () => {
  assert.ok(ROOT.log.format instanceof Leaf)
  assert.deepEqual(leavesOf({ log: ROOT.log }).map(({ path }) => path.join('.')), ['log.level', 'log.format'])
})
