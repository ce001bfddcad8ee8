/** Programs of `bench/` on the command line: their own words for what they take, and no stack for what they do not. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../../support/process.ts'

const BENCH = join(import.meta.dirname, '../../../bench')
/** The others are parts of these. */
const PROGRAMS = readdirSync(BENCH).filter((name) => /^import \{ benchOptions \}/m.test(readFileSync(join(BENCH, name), 'utf8')))
const at = (name: string, ...words: readonly string[]) => run([process.execPath, join(BENCH, name), ...words])

test('who reads its arguments does so in one way', () => {
  assert.deepEqual(PROGRAMS, ['accuracy.ts', 'dkim.ts', 'fit-rules.ts', 'inbound-dns.ts', 'inbound.ts', 'memory.ts', 'prove-rules.ts', 'relay.ts', 'scaling.ts', 'sign.ts', 'spam.ts'])
  for (const name of readdirSync(BENCH)) if (name !== 'options.ts') assert.doesNotMatch(readFileSync(join(BENCH, name), 'utf8'), /parseArgs|process\.argv/, name)
})

test('--help prints what the file says of itself, and does nothing', async () => {
  for (const name of PROGRAMS) {
    const { code, output } = await at(name, '--help')
    assert.equal(code, 0, `${name}: ${output}`)
    assert.match(output, /^[A-Z][^]*\n {2,}(?:npm run|node bench\/)/, name)
    assert.doesNotMatch(output, /^ ?\*|\n {4}at /m, name)
  }
})

test('an option or a number that it does not know: what was wrong, the usage, 2', async () => {
  for (const [words, said] of [[['--nonsense'], /^bench: Unknown option '--nonsense'/], [['relay'], /^bench: Unexpected argument 'relay'/], [['--messages', 'many'], /^bench: --messages: found "many"; allowed: a number/], [['--messages'], /^bench: Option '--messages <value>' argument missing/]] as const) {
    const { code, output } = await at('relay.ts', ...words)
    assert.equal(code, 2, output)
    assert.match(output, said)
    assert.match(output, /npm run bench -- \[--messages 8000\]/)
    assert.doesNotMatch(output, /\n {4}at /)
  }
})
