/**
 * Which rules of SpamAssassin's hit messages, by SpamAssassin itself
 * (spamassassin-hits.pl), without network and Bayes: its score set 0.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

export const DEBIAN_RULES = '/usr/share/spamassassin'

export interface PeerHits {
  /** how often; 1 where it is not counted */
  readonly hits: ReadonlyMap<string, number>
  /** the client before the first relay that is trusted; `ip`, `rdns`, `helo`; undefined: none */
  readonly relay: Readonly<Record<string, string>> | undefined
}

interface Answer {
  readonly hits: Readonly<Record<string, number>>
  readonly relay: string
}

/** @param messages with LF as line ends, as in a mailbox */
export function hitsBySpamAssassin({ rules, site, state }: { readonly rules: string; readonly site: string; readonly state: string }, messages: readonly Buffer[]): readonly PeerHits[] {
  const { stdout, stderr, status } = spawnSync('/usr/bin/perl', [join(import.meta.dirname, 'spamassassin-hits.pl'), rules, site, state], {
    input: messages.map((message) => `${message.toString('base64')}\n`).join(''), encoding: 'utf8', maxBuffer: 256 * 1024 * 1024,
  })
  const answers = stdout.split('\n').filter((line) => line !== '')
  if (status !== 0 || answers.length !== messages.length) throw new Error(`SpamAssassin answered ${answers.length} of ${messages.length}: ${stderr.slice(-2000)}`)
  return answers.map((line) => {
    const { hits, relay } = JSON.parse(line) as Answer
    const first = /^\[ ([^\]]*)\]/.exec(relay)?.[1]
    return { hits: new Map(Object.entries(hits)), relay: first === undefined ? undefined : Object.fromEntries(Array.from(first.matchAll(/(\w+)=(\S*)/g), ([, name = '', value = '']) => [name, value])) }
  })
}
