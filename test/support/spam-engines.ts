/** Engines of others, as tests ask them: their settings, a message, a context whose clock can be put forward. */
import { readPasswordFile } from '../../src/delivery/password-file.ts'
import { createEngine } from '../../src/spam/engines/create-engines.ts'
import type { Engine, EngineContext, EngineMessage } from '../../src/spam/engines/engine.ts'
import { DEFAULT_BREAKER, DEFAULT_COUNTS, ENGINE_DEFAULTS, type ClamavSettings, type EngineSettings, type RspamdSettings, type SpamAssassinSettings, type SpamscannerSettings } from '../../src/spam/engines/settings.ts'
import { heldMessage } from './stored-message.ts'

export interface Ground extends EngineContext {
  readonly logged: { readonly level: string; readonly facts: Readonly<Record<string, unknown>>; readonly text: string }[]
  /** Puts the clock forward; what waits for real time is not hurried. */
  advance(ms: number): void
}

export function ground(): Ground {
  let advancedMs = 0
  const logged: Ground['logged'] = []
  const at = (level: string) => (facts: Readonly<Record<string, unknown>>, text: string) => void logged.push({ level, facts, text })
  return {
    logged,
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    readPassword: readPasswordFile,
    clock: {
      nowMs: () => performance.now() + advancedMs,
      after(delayMs, action) {
        const timer = setTimeout(action, delayMs)
        return () => clearTimeout(timer)
      },
    },
    advance: (ms) => void (advancedMs += ms),
  }
}

const COMMON = { breaker: DEFAULT_BREAKER, counts: DEFAULT_COUNTS, down: 'flow' } as const
const ALL = {
  rspamd: { kind: 'rspamd', name: 'rspamd', ...COMMON, ...ENGINE_DEFAULTS.rspamd, tls: undefined, passwordFile: undefined },
  spamassassin: { kind: 'spamassassin', name: 'spamassassin', ...COMMON, ...ENGINE_DEFAULTS.spamassassin, tls: undefined, user: undefined },
  clamav: { kind: 'clamav', name: 'clamav', ...COMMON, ...ENGINE_DEFAULTS.clamav, spamNames: [], tooBig: 'flow' },
  spamscanner: { kind: 'spamscanner', name: 'spamscanner', ...COMMON, ...ENGINE_DEFAULTS.spamscanner, folder: undefined, options: {} },
} as const satisfies Readonly<Record<EngineSettings['kind'], EngineSettings>>

export const rspamd = (changed: Partial<RspamdSettings>): RspamdSettings => ({ ...ALL.rspamd, ...changed })
export const spamassassin = (changed: Partial<SpamAssassinSettings>): SpamAssassinSettings => ({ ...ALL.spamassassin, ...changed })
export const clamav = (changed: Partial<ClamavSettings>): ClamavSettings => ({ ...ALL.clamav, ...changed })
export const spamscanner = (changed: Partial<SpamscannerSettings>): SpamscannerSettings => ({ ...ALL.spamscanner, ...changed })

export function engineMessage(body: string | EngineMessage['body'], changed: Partial<EngineMessage> = {}): EngineMessage {
  return {
    body: typeof body === 'string' ? heldMessage([Buffer.from(body, 'latin1')]) : body,
    client: { ip: '192.0.2.7', helo: 'client.example', name: 'host.example.net' },
    sender: 'anna@example.net', recipients: ['bert@example.org'], id: 'ID1', ...changed,
  }
}

/** An engine that ends with its test. */
export function engineFor(t: { after(action: () => void): void }, settings: EngineSettings, context: EngineContext): Engine {
  const engine = createEngine(settings, context)
  t.after(() => engine.close())
  return engine
}

const HEAD = 'From: Anna <anna@example.net>\r\nTo: bert@example.org\r\nDate: Mon, 6 Oct 2025 10:00:00 +0000\r\nMessage-ID: <1@example.net>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n'
export const HAM = `${HEAD}Subject: The minutes of our meeting\r\n\r\nDear Bert,\r\n\r\nhere is what we said on Monday. Please have a look at the second point.\r\n\r\nAnna\r\n`
export const WATCHES = `${HEAD}Subject: cheap watches\r\n\r\nThey are very cheap.\r\n`
export const GTUBE = `${HEAD}Subject: A test\r\n\r\n${['XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE', '-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X'].join('')}\r\n`

/** A message of about so many bytes of text. */
export function longMessage(size: number): Buffer {
  const line = 'This is a line of a long and harmless letter, and there are many of them.\r\n'
  return Buffer.from(`${HEAD}Subject: A long letter\r\n\r\n${line.repeat(Math.ceil(size / line.length))}`, 'latin1')
}
