/**
 * What a program of this folder takes on its command line. `--help` prints the
 * words with which its file begins, and so does, with what is wrong and exit
 * code 2, an option that it does not have.
 */
import { readFileSync } from 'node:fs'
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'

type Values<T extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: T }>>['values']

const NUMBER = /^\d+(?:\.\d+)?$/

/** An option whose default is a number takes numbers. */
export function benchOptions<const T extends ParseArgsOptionsConfig>(options: T): Values<T> {
  if (process.argv.slice(2).some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(usage())
    process.exit(0)
  }
  try {
    const { values } = parseArgs({ options })
    for (const [name, value] of Object.entries<unknown>(values)) {
      const { default: given } = options[name] ?? {}
      if (typeof given === 'string' && NUMBER.test(given) && !NUMBER.test(String(value))) throw new TypeError(`--${name}: found ${JSON.stringify(value)}; allowed: a number`)
    }
    return values
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    process.stderr.write(`bench: ${error.message}\n\n${usage()}`)
    process.exit(2)
  }
}

/** The comment on top of the program that was started. */
function usage(): string {
  const text = readFileSync(process.argv[1] ?? '', 'utf8')
  const comment = /^\/\*\*\n([^]*?)\n \*\//.exec(text)?.[1] ?? ''
  return `${comment.replaceAll(/^ \* ?/gm, '')}\n`
}
