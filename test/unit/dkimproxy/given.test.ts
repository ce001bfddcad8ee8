/** DKIMproxy's configuration file and command line, as they are read. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { describeNotice, readCommandLine, readConfFile } from '../../../src/dkimproxy/given.ts'

function conf(text: string, program: Parameters<typeof readConfFile>[2] = 'dkimproxy.out'): { given: Record<string, string[]>; warnings: string[] } {
  const { given, warnings } = readConfFile(text, 'f', program)
  const found: Record<string, string[]> = {}
  for (const { name, value } of given) (found[name] ??= []).push(value)
  return { given: found, warnings: warnings.map(describeNotice) }
}

describe('the configuration file', () => {
  test('three forms, comments, escapes, blanks', () => {
    const { given, warnings } = conf('# comment\n\n listen 127.0.0.1:1\nrelay=[::1]:25\ndomain: a.example # all\n--selector  s\\#1\nkeyfile\t/a%20b\nmethod = relaxed\r\n')
    assert.deepEqual(given, { listen: ['127.0.0.1:1'], relay: ['[::1]:25'], domain: ['a.example'], selector: ['s#1'], keyfile: ['/a b'], method: ['relaxed'] })
    assert.deepEqual(warnings, ['f:5: the blanks behind the value of domain are left out; DKIMproxy keeps them'])
  })

  test('values keep what is inside them', () => {
    assert.deepEqual(conf('signature dkim(c=relaxed/relaxed,a=rsa-sha256, s=x)\nsignature domainkeys\nlog_file Sys::Syslog').given, { signature: ['dkim(c=relaxed/relaxed,a=rsa-sha256, s=x)', 'domainkeys'], log_file: ['Sys::Syslog'] })
  })

  test('what DKIMproxy ignores in silence is said, with its line', () => {
    const { given, warnings } = conf('nonsense 1\nreject-error 1\nreject_error\ndomain\nmin_servers 5\n???\nhostname x\nreject_error 0')
    assert.deepEqual(given, { reject_error: ['1', '1', '0'], min_servers: ['5'] })
    assert.deepEqual(warnings.map((text) => text.slice(0, 4)), ['f:1:', 'f:2:', 'f:2:', 'f:3:', 'f:4:', 'f:5:', 'f:6:', 'f:7:'])
    assert.match(warnings[7] ?? '', /no option "hostname"/, 'that is of dkimproxy.in')
    assert.deepEqual(conf('hostname x', 'dkimproxy.in').given, { hostname: ['x'] })
  })

  test('it is read the same wherever a line is; a notice holds no control character', () => {
    assert.deepEqual(conf('').given, {})
    assert.deepEqual(conf('\ufefflisten x:1').given, { listen: ['x:1'] })
    const { warnings } = conf('bad\x1b[31m x\n')
    assert.doesNotMatch(warnings.join(''), /\x1b/)
  })
})

describe('the command line', () => {
  const line = (...argv: string[]): ReturnType<typeof readCommandLine> => readCommandLine(argv, 'dkimproxy.out')

  test('options with = and with a blank, flags, two places', () => {
    const { given, positional, errors } = line('--conf_file=/etc/x', '--selector', 's', '--daemonize', '--reject-error', '127.0.0.1:1', '127.0.0.1:2', '--signature=dkim(c=relaxed)', '--signature=domainkeys')
    assert.deepEqual(errors, [])
    assert.deepEqual(positional, ['127.0.0.1:1', '127.0.0.1:2'])
    assert.deepEqual(given.map(({ name, value }) => [name, value]), [['conf_file', '/etc/x'], ['selector', 's'], ['daemonize', '1'], ['reject_error', '1'], ['signature', 'dkim(c=relaxed)'], ['signature', 'domainkeys']])
  })

  test('what is wrong', () => {
    for (const argv of [['--nonsense'], ['--nonsense=1'], ['--hostname=x'], ['-x'], ['one'], ['1', '2', '3'], ['--selector']]) assert.ok(line(...argv).errors.length > 0, argv.join(' '))
    assert.equal(line('--help').help, true)
    assert.equal(line('-h').help, true)
    assert.equal(line('--version').version, true)
    assert.deepEqual(line('--', '--odd', 'x').positional, ['--odd', 'x'])
  })
})
