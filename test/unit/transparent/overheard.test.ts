/** The login that a session overhears is the one that the relay granted, or none. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { playPieces } from '../../support/transparent.ts'

const b64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64')
const USER = b64('Username:')
const PASSWORD = b64('Password:')

type Step = readonly [line: string, reply: string]

/** The login with which a message is passed behind these lines, each with its reply. */
async function loginBehind(...steps: readonly Step[]): Promise<string | undefined> {
  const replies = Object.fromEntries(steps.map(([line, reply]) => [line.split(' ')[0]?.toUpperCase() ?? '', `${reply}\r\n`]))
  const played = await playPieces(['EHLO x\r\n', ...steps.map(([line]) => `${line}\r\n`), 'MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n', 'x\r\n.\r\n'], { replies })
  assert.equal(played.messages.length, 1)
  assert.equal(played.commands.length, 4 + steps.length)
  return played.envelopes[0]?.login
}

const OK = '235 2.7.0 fine'
const PLAIN: Step = [`AUTH PLAIN ${b64('\0victim\0pw')}`, OK]

describe('one exchange', () => {
  const table: readonly (readonly [string, readonly Step[], string | undefined])[] = [
    ['PLAIN', [PLAIN], 'victim'],
    ['PLAIN, asked for', [['AUTH PLAIN', '334 '], [b64('\0anna\0pw'), OK]], 'anna'],
    ['PLAIN, whose initial response was not taken', [[`AUTH PLAIN ${b64('\0victim\0x')}`, '334 '], [b64('\0attacker\0pw'), OK]], 'attacker'],
    ['PLAIN for somebody else: who has the password counts', [[`AUTH PLAIN ${b64('victim\0attacker\0pw')}`, OK]], 'attacker'],
    ['PLAIN with too many parts', [[`AUTH PLAIN ${b64('\0victim\0pw\0x')}`, OK]], undefined],
    ['what is no base64', [[`AUTH PLAIN ${b64('\0vi')}!!${b64('ctim\0x')}`, OK]], undefined],
    ['what is no UTF-8', [[`AUTH PLAIN ${b64('\0vict\xfcm\0x')}`, OK]], undefined],
    ['LOGIN', [['AUTH LOGIN', `334 ${USER}`], [b64('Burl'), `334 ${PASSWORD}`], [b64('pw'), OK]], 'burl'],
    ['LOGIN with an initial response', [[`AUTH LOGIN ${b64('burl')}`, `334 ${PASSWORD}`], [b64('pw'), OK]], 'burl'],
    ['LOGIN whose initial response was not taken', [[`AUTH LOGIN ${b64('victim')}`, `334 ${USER}`], [b64('attacker'), `334 ${PASSWORD}`], [b64('pw'), OK]], 'attacker'],
    ['LOGIN that asks in words of its own', [['AUTH LOGIN', `334 ${b64('Wer?')}`], [b64('burl'), `334 ${b64('Wort?')}`], [b64('pw'), OK]], 'burl'],
    ['LOGIN in words of its own, whose initial response may have been left', [[`AUTH LOGIN ${b64('victim')}`, `334 ${b64('Wer?')}`], [b64('attacker'), `334 ${b64('Wort?')}`], [b64('pw'), OK]], undefined],
    ['LOGIN, the name asked for twice', [['AUTH LOGIN', `334 ${USER}`], [b64('victim'), `334 ${USER} `], [b64('attacker'), `334 ${PASSWORD}`], [b64('pw'), OK]], 'attacker'],
    ['a mechanism that hides the name', [['AUTH CRAM-MD5', `334 ${b64('<1@x>')}`], [b64('victim 00'), OK]], undefined],
    ['what the relay refuses', [[`AUTH PLAIN ${b64('\0victim\0x')}`, '535 no']], undefined],
    ['XCLIENT', [['XCLIENT LOGIN=victim', '220 hi']], 'victim'],
  ]
  for (const [name, steps, login] of table) {
    test(name, async () => {
      assert.equal(await loginBehind(...steps), login)
    })
  }
})

describe('a later word replaces an earlier one', () => {
  const again = `AUTH\tPLAIN ${b64('\0vic\x01\0pw')}`
  const table: readonly (readonly [string, readonly Step[], string | undefined])[] = [
    ['an exchange without a name', [['XCLIENT LOGIN=victim', '220 hi'], ['AUTH CRAM-MD5', '334 '], [b64('attacker 00'), OK]], undefined],
    ['a name that is none', [['XCLIENT LOGIN=victim', '220 hi'], [again, OK]], undefined],
    ['a refused exchange changes nothing', [['XCLIENT LOGIN=victim', '220 hi'], ['AUTH CRAM-MD5', '535 no']], 'victim'],
    ['XCLIENT without a login', [PLAIN, ['XCLIENT ADDR=192.0.2.1', '220 hi']], undefined],
    ['XCLIENT with none', [PLAIN, ['XCLIENT LOGIN=[UNAVAILABLE]', '220 hi']], undefined],
    ['XCLIENT that was refused', [PLAIN, ['XCLIENT ADDR=192.0.2.1', '550 no']], 'victim'],
    ['XFORWARD', [PLAIN, ['XFORWARD ADDR=192.0.2.1', '250 ok']], 'victim'],
  ]
  for (const [name, steps, login] of table) {
    test(name, async () => {
      assert.equal(await loginBehind(...steps), login)
    })
  }
})
