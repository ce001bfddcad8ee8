/**
 * What local delivery writes, read by the programs that people read mail with:
 * Dovecot (doveadm) and mutt. They run as the mailbox's owner.
 */
import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createMaildirHop } from '../../src/delivery/local.ts'
import type { Log } from '../../src/observe/log.ts'
import { parseDomain, parsePath } from '../../src/smtp/address.ts'
import type { Domain, EnvelopePath } from '../../src/smtp/envelope.ts'
import { expectedOf, mailSamples, mimeSamples, suitesMissing, withCrlf } from '../support/mail-samples.ts'
import { MAIL_USER } from '../support/peers/hop.ts'
import { account, missing } from '../support/peers/programs.ts'
import { run, temporaryDirectory } from '../support/process.ts'
import { sha256, toCrlf } from '../support/trace-fields.ts'

const LETTERS = [
  'From: a@b.example\r\nSubject: plain\r\n\r\nline\r\n\r\nFrom the start of a line\r\n.\r\n..\r\n',
  'From: a@b.example\r\nSubject: 8 bit\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\ncaf\xc3\xa9\r\n',
  `From: a@b.example\r\nSubject: long\r\n\r\n${`${'x'.repeat(998)}\r\n`.repeat(100)}`,
  'From: a@b.example\r\nSubject: empty\r\n\r\n',
].map((text) => Buffer.from(text, 'latin1'))
const PREFIX = 'Return-Path: <sender@client.example>\nDelivered-To: reader@example.org\n'

/** The mailbox is given to another user. */
const needsRoot = process.getuid?.() === 0 ? undefined : 'only root can give a mailbox to another user'

interface Reader {
  readonly directory: string
  readonly maildir: string
  readonly deliver: (message: Buffer) => Promise<void>
  /** a program as the mailbox's owner */
  readonly asOwner: (command: readonly string[], env?: Readonly<Record<string, string>>) => Promise<string>
}

function reader(): Reader {
  const directory = temporaryDirectory('reader')
  const owner = account(MAIL_USER)
  mkdirSync(join(directory, 'mail'))
  mkdirSync(join(directory, 'home'))
  chownSync(join(directory, 'home'), owner.uid, owner.gid)
  // Delivery answers by its replies; what it logs is shown where one is not 250.
  const lines: string[] = []
  const write = (facts: Readonly<Record<string, unknown>>, text: string): void => void lines.push(`${text} ${JSON.stringify(facts)}`)
  const log: Log = { debug: write, info: write, warn: write, error: write }
  const hop = createMaildirHop({
    kind: 'maildir', name: 'local', path: `${directory}/mail/{local}`, users: undefined, aliases: undefined, suffix: '+', catchAll: undefined, uid: owner.uid, gid: owner.gid, mode: 0o600,
  }, { hostname: 'mx.example.org', log, domains: new Set([parseDomain('example.org') as Domain]) })
  return {
    directory,
    maildir: join(directory, 'mail/reader'),
    deliver: async (message) => {
      const transaction = hop.begin({ address: undefined, port: undefined, name: undefined, helo: undefined, protocol: 'ESMTP', login: undefined, source: 'LOCAL', ident: 'T' })
      await transaction.mail(path('<sender@client.example>'))
      await transaction.rcpt(path('<reader@example.org>'))
      const body = { size: message.length, memory: [message], chunks: () => whole(message), discard: () => undefined }
      const [reply] = await transaction.data({ prefix: Buffer.alloc(0), body, chunked: false, binary: false })
      assert.equal(reply?.status, 250, lines.join('\n'))
    },
    asOwner: async (command, env = {}) => {
      const { code, output } = await run(['setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups', ...command], { cwd: join(directory, 'home'), env: { USER: 'reader', HOME: join(directory, 'home'), ...env } })
      assert.equal(code, 0, `${command.join(' ')}: ${output}`)
      return output
    },
  }
}

async function* whole(message: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(message)
}

function path(text: string): EnvelopePath {
  const parsed = parsePath(text, 0)
  if (parsed.status !== 'ok') throw new Error(parsed.why)
  return { path: parsed.path, parameters: [] }
}

describe('Dovecot', { skip: missing('dovecot', 'doveadm', 'setpriv') }, () => {
  function doveadm(mail: Reader): (...command: readonly string[]) => Promise<string> {
    const conf = join(mail.directory, 'dovecot.conf')
    const log = join(mail.directory, 'home/log')
    const settings = { mail_location: `maildir:${mail.maildir}`, ssl: 'no', log_path: log, first_valid_uid: '1', first_valid_gid: '1', mail_uid: MAIL_USER, mail_gid: String(account(MAIL_USER).gid), base_dir: `${mail.directory}/home`, state_dir: `${mail.directory}/home` }
    writeFileSync(conf, Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`).join(''))
    return async (...command) => {
      const output = await mail.asOwner(['doveadm', '-c', conf, ...command])
      assert.doesNotMatch(readdirSync(join(mail.directory, 'home')).includes('log') ? readFileSync(log, 'latin1') : '', /error|warning/i)
      return output
    }
  }

  /** Messages as doveadm prints them, by their size. */
  function parse(output: string): { physical: number; virtual: number; text: string }[] {
    const found: { physical: number; virtual: number; text: string }[] = []
    for (let at = 0; at < output.length;) {
      const head = /^size\.physical: (\d+)\nsize\.virtual: (\d+)\ntext:\n/.exec(output.slice(at, at + 200))
      if (head === null) throw new Error(`not what doveadm prints: ${JSON.stringify(output.slice(at, at + 200))}`)
      const start = at + head[0].length
      const physical = Number(head[1])
      found.push({ physical, virtual: Number(head[2]), text: output.slice(start, start + physical) })
      at = start + physical
      // Between two messages, not behind the last.
      if (at === output.length) break
      assert.equal(output.slice(at, at + 2), '\f\n')
      at += 2
    }
    return found
  }

  async function fetched(messages: readonly Buffer[]): Promise<void> {
    const mail = reader()
    for (const message of messages) await mail.deliver(message)
    const ask = doveadm(mail)
    assert.equal((await ask('mailbox', 'status', 'messages recent', 'INBOX')).trim(), `INBOX messages=${messages.length} recent=${messages.length}`)
    const read = parse(await ask('fetch', 'size.physical size.virtual text', 'all'))
    for (const { physical, virtual, text } of read) {
      assert.ok(text.startsWith(PREFIX))
      assert.equal(virtual - physical, text.split('\n').length - 1)
    }
    const hashes = read.map(({ text }) => sha256(toCrlf(Buffer.from(text.slice(PREFIX.length), 'latin1'))))
    assert.deepEqual(hashes.sort(), messages.map(sha256).sort())

    // Dovecot goes on with the Maildir as with one of its own.
    await ask('flags', 'add', '\\Seen', 'all')
    assert.equal((await ask('mailbox', 'status', 'messages unseen', 'INBOX')).trim(), `INBOX messages=${messages.length} unseen=0`)
    const names = ['new', 'cur'].flatMap((folder) => readdirSync(join(mail.maildir, folder)))
    assert.equal(names.filter((name) => /^\d+\.M\d+P\d+Q\d+R[0-9a-f]+\.mx\.example\.org,S=\d+:2,S$/.test(name)).length, messages.length)
  }

  test('reads letters as they were sent', () => fetched(LETTERS))

  const samples = [...mimeSamples(), ...mailSamples()]
  // What the gateway hands over: CR and LF only as pairs.
  test('reads the suites\' messages as they were sent', { skip: suitesMissing() }, () => fetched(samples.map(({ sent }) => expectedOf(withCrlf(sent)))))
})

describe('mutt', { skip: needsRoot ?? missing('mutt', 'script', 'setpriv') }, () => {
  test('opens the Maildir and gives letters as they were sent', async () => {
    const mail = reader()
    for (const letter of LETTERS) await mail.deliver(letter)
    const home = join(mail.directory, 'home')
    const keep = join(mail.directory, 'keep')
    // mutt has no batch mode for reading: it is driven by keys on a pseudo-terminal.
    writeFileSync(keep, `#!/bin/sh\n{ cat; printf '\\0'; } >>'${home}/read'\n`)
    chmodSync(keep, 0o755)
    writeFileSync(join(mail.directory, 'rc'), `set folder=${home} pipe_split=yes pipe_decode=no pipe_sep='' wait_key=no quit=yes sort=mailbox-order\npush "<tag-pattern>~A<enter><tag-prefix><pipe-message>${keep}<enter><quit>"\n`)
    // An open pipe as keyboard: at the end of its input script(1) would type an end of file into mutt's prompts.
    const driven = `mkfifo '${home}/keys' && script -qec 'mutt -n -F ${mail.directory}/rc -R -f ${mail.maildir}' /dev/null <>'${home}/keys'`
    const screen = await mail.asOwner(['sh', '-c', driven], { TERM: 'xterm' })
    const read = readFileSync(join(home, 'read'), 'latin1').split('\0').slice(0, -1)
    const expected = LETTERS.map((letter) => PREFIX + letter.toString('latin1').replaceAll('\r\n', '\n'))
    assert.deepEqual(read.sort(), expected.sort(), screen)
  })
})
