/**
 * Runs every sample of the shipped rules, and writes down that they have passed
 * (`rules/proved.sha256`): workers then need not run them at each start. To be
 * run after each change of `rules/`; a test says when it was not.
 *
 *   npm run prove:rules
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeError } from '../src/config/problem.ts'
import { digestOfShipped, PROOF_FILE, readRuleFiles, shippedRulesFolder } from '../src/spam/rules/folders.ts'
import { loadRules } from '../src/spam/rules/load.ts'
import { benchOptions } from './options.ts'

benchOptions({})

const { files, problems } = await readRuleFiles({ shipped: true, paths: [] })
const loaded = loadRules({ files: files.map((file) => ({ ...file, proved: false })) })
const wrong = [...problems, ...loaded.problems]
for (const problem of wrong) process.stderr.write(`${describeError(problem)}\n`)
if (wrong.length > 0) process.exit(1)
writeFileSync(join(shippedRulesFolder(), PROOF_FILE), `${digestOfShipped(files)}\n`)
process.stdout.write(`${loaded.rules.rules.length} rules proved\n`)
