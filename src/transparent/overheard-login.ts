/**
 * The name in an AUTH exchange (RFC 4954) between others, where it passes in
 * clear: PLAIN (RFC 4616) and LOGIN. A relay may leave the initial response and
 * ask again, so what counts is what it asked for. Undefined where there is any
 * doubt about which name the relay has granted; nothing throws.
 */
interface Said {
  /** undefined: what came unasked, with the command */
  readonly asked: 'name' | 'password' | 'something' | undefined
  readonly text: string | undefined
}

/** No exchange of these has more. */
const MAX_SAID = 10

export class OverheardLogin {
  private readonly mechanism: string
  private readonly said: Said[] = []
  private asked: Said['asked']

  /** @param line the AUTH command */
  constructor(line: string) {
    const [, mechanism = '', response] = /^[ \t]*[^ \t]+[ \t]+([^ \t]+)(?:[ \t]+([^ \t]+))?/.exec(line) ?? []
    this.mechanism = mechanism.toUpperCase()
    if (response !== undefined) this.responds(response)
  }

  /** @param base64 what stands behind 334 */
  challenged(base64: string): void {
    const text = Buffer.from(base64, 'base64').toString('latin1')
    this.asked = /pass/i.test(text) ? 'password' : /user|login|name/i.test(text) ? 'name' : 'something'
  }

  responds(base64: string): void {
    if (this.said.length > MAX_SAID) return
    // A password is not kept.
    this.said.push({ asked: this.asked, text: this.asked === 'password' ? undefined : textOf(base64) })
  }

  /** In lower case; to be asked when the relay has agreed. */
  name(): string | undefined {
    if (this.said.length > MAX_SAID) return undefined
    const name = this.mechanism === 'PLAIN' ? plainName(this.said.at(-1)?.text) : this.mechanism === 'LOGIN' ? loginName(this.said) : undefined
    return name !== undefined && /^[^\x00-\x1f\x7f]{1,255}$/.test(name) ? name.toLowerCase() : undefined
  }
}

/** authzid NUL authcid NUL password: the second is the one whose password it was. */
function plainName(text: string | undefined): string | undefined {
  const parts = text?.split('\0') ?? []
  return parts.length === 3 ? parts[1] : undefined
}

function loginName(said: readonly Said[]): string | undefined {
  const named = said.findLast(({ asked }) => asked === 'name')
  if (named !== undefined) return named.text
  const others = said.filter(({ asked }) => asked !== 'password')
  // The name and the password are two; of three, one was not taken, and nobody has said which.
  return others.length === 1 || said.length === 2 ? others[0]?.text : undefined
}

/** Readers of broken base64 do not agree, and neither do those of broken UTF-8. */
function textOf(base64: string): string | undefined {
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(base64, 'base64'))
  } catch {
    return undefined
  }
}
