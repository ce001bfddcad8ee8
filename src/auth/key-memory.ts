/**
 * DKIM keys as mailauth reads them, remembered from message to message by the
 * text of their record: to read one takes longer than to verify with it. The
 * DNS is asked each time as before, and only what follows from the text alone is
 * remembered, so that nothing here can be out of date. What fails is not
 * remembered. Bounded by keys and by the length of a record.
 */
import type { KeyCache } from './mailauth-library.ts'
import type { MailauthResolve } from './mailauth-resolver.ts'

const MAX_KEYS = 1000
/** An RSA key of 4096 bits has 750; whoever has more is read each time. */
const MAX_RECORD_CHARACTERS = 2000

export class KeyMemory {
  readonly #keys = new Map<string, unknown>()

  /** @param keys what reads them, by means of `resolve` */
  remembering(keys: KeyCache, resolve: MailauthResolve): KeyCache {
    return {
      get: async (...question) => {
        const [type, name, minBitLength, options] = question
        const record = await recordText(name, resolve)
        const read = (): Promise<unknown> => keys.get(...question)
        if (record === undefined) return read()
        return this.#known(`${type} ${minBitLength} ${String(options?.strict)} ${options?.hashAlgo ?? ''} ${record}`, read)
      },
    }
  }

  async #known(key: string, read: () => Promise<unknown>): Promise<unknown> {
    const known = this.#keys.get(key)
    if (known !== undefined) return known
    const made = await read()
    // They come back with the next messages: no need to know which was used last.
    if (this.#keys.size >= MAX_KEYS) this.#keys.clear()
    this.#keys.set(key, made)
    return made
  }
}

/** The record that mailauth will read; undefined where it has to say itself what is wrong. */
async function recordText(name: string, resolve: MailauthResolve): Promise<string | undefined> {
  if (!/^[\x21-\x7e]+$/.test(name)) return undefined
  try {
    const [first] = await resolve(name, 'TXT')
    const text = Array.isArray(first) ? first.join('') : ''
    return text === '' || text.length > MAX_RECORD_CHARACTERS ? undefined : text
  } catch {
    // It asks for itself, and hears the same.
    return undefined
  }
}
