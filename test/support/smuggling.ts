/**
 * What the smuggling tests share: the suite's fake ends of data (an empty list
 * where the suite is absent), and a session that leads up to the message and
 * counts the replies behind it.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Gateway } from './gateway.ts'
import { SUITES } from './mail-samples.ts'
import { Dialog, type DialogReply } from './smtp-dialog.ts'

const file = join(SUITES, 'smuggling/sequences.json')

function readSequences(): string[] {
  if (!existsSync(file)) return []
  const parsed = JSON.parse(readFileSync(file, 'utf8')) as { readonly inbound_eod_sequences: string[]; readonly outbound_eod_sequences: string[] }
  return [...new Set([...parsed.inbound_eod_sequences, ...parsed.outbound_eod_sequences])]
}

export const SEQUENCES = readSequences()
/** What a server would take for commands, if the fake end before it were an end. */
export const SMUGGLED = 'MAIL FROM:<smuggled@evil.example>\r\nRCPT TO:<victim@hop.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n'
export const TRUE_END = '\r\n.\r\n'

export async function intoData(gateway: Gateway): Promise<Dialog> {
  const dialog = await Dialog.open(gateway.address())
  await dialog.hello()
  await dialog.command('MAIL FROM:<outer@client.example>', 250)
  await dialog.command('RCPT TO:<alice@hop.example>', 250)
  await dialog.command('DATA', 354)
  return dialog
}

/** The one reply to the message. A second one, to something smuggled, would come before that to NOOP. */
export async function theOnlyReply(dialog: Dialog): Promise<DialogReply> {
  const reply = await dialog.expect()
  await dialog.send('NOOP\r\nQUIT\r\n')
  assert.equal((await dialog.expect()).status, 250, 'NOOP')
  assert.equal((await dialog.expect()).status, 221, 'QUIT')
  assert.equal((await dialog.expect()).status, 0, 'nothing behind it')
  dialog.close()
  return reply
}
