/**
 * What people do with their mail, by Python's imaplib: look, read, move. An
 * Error with what the server said where it does not do it.
 */
import { run } from '../process.ts'
import { IMAP_PASSWORD } from './dovecot.ts'

export interface ImapLogin {
  readonly port: number
  /** the whole address */
  readonly user: string
}

export interface ImapAct {
  /** of the message that is meant: words of its Subject */
  readonly subject: string
  readonly in: string
  /** it is read first */
  readonly read?: boolean
  /** the folder that it is moved to */
  readonly to?: string
}

const PROGRAM = `
import imaplib, json, sys
o = json.loads(sys.argv[1])
def ok(answer):
    if answer[0] != 'OK': sys.exit(repr(answer))
    return answer[1]
c = imaplib.IMAP4('127.0.0.1', o['port'])
ok(c.login(o['user'], o['password']))
for act in o['acts']:
    ok(c.select(act['in']))
    found = ok(c.uid('SEARCH', 'SUBJECT', '"' + act['subject'] + '"'))[0].split()
    if len(found) != 1: sys.exit('%d messages about %s in %s' % (len(found), act['subject'], act['in']))
    if act.get('read'): ok(c.uid('FETCH', found[0], '(BODY[])'))
    if act.get('to'): ok(c.uid('MOVE', found[0], act['to']))
ok(c.unselect())
c.logout()
`

/** One session, in this order. */
export async function imap({ port, user }: ImapLogin, acts: readonly ImapAct[]): Promise<void> {
  const { code, output } = await run(['python3', '-c', PROGRAM, JSON.stringify({ port, user, password: IMAP_PASSWORD, acts })])
  if (code !== 0) throw new Error(`imaplib ended with ${code}:\n${output}`)
}
