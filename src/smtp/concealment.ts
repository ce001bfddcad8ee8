/**
 * Keeps what we said in confidence out of a log, where the other end repeats it:
 * servers quote a line that they do not know (`500 unrecognized: "AUTH PLAIN …"`),
 * whole, cut short or in capitals. Works on text alone, fails on nothing.
 */

/** So much of a secret in a row is a piece of it, not chance. */
const RUN = 8
const HIDDEN = '[hidden]'
/** A word that may be base64; none of these is part of another. */
const ENCODED = /[A-Za-z0-9+/=]{8,}/g
/** A word or a number as people write them: no base64 of any use looks like that for long. */
const WRITTEN = /^(?:[A-Z]?[a-z]*|[A-Z]+|[0-9]+)$/

export class Concealment {
  readonly #runs = new Set<string>()
  readonly #short = new Set<string>()

  get empty(): boolean {
    return this.#runs.size === 0 && this.#short.size === 0
  }

  /** @param secret one character a byte, as text of the wire has it */
  add(secret: string): void {
    const small = secret.toLowerCase()
    if (small.length < RUN) {
      if (small !== '') this.#short.add(small)
      return
    }
    for (let at = 0; at + RUN <= small.length; at++) this.#runs.add(small.slice(at, at + RUN))
  }

  /** The text without what was added, pieces of it, and a short secret where it stands as a word. */
  hide(text: string): string {
    const small = text.toLowerCase()
    const hidden: [from: number, to: number][] = []
    for (let at = 0; at + RUN <= small.length; at++) if (this.#runs.has(small.slice(at, at + RUN))) hidden.push([at, at + RUN])
    for (const secret of this.#short) {
      for (let at = small.indexOf(secret); at >= 0; at = small.indexOf(secret, at + 1)) {
        if (isWord(small, at, at + secret.length)) hidden.push([at, at + secret.length])
      }
    }
    return hidden.length === 0 ? text : withoutRanges(text, hidden)
  }
}

/** The text without anything that may be base64, whoever made it. */
export function withoutEncoded(text: string): string {
  return text.replace(ENCODED, (word) => (word.split(/[/+=]/).every((part) => WRITTEN.test(part)) ? word : HIDDEN))
}

function isWord(text: string, from: number, to: number): boolean {
  return !/[a-z0-9]/.test(text.charAt(from - 1)) && !/[a-z0-9]/.test(text.charAt(to))
}

function withoutRanges(text: string, ranges: [from: number, to: number][]): string {
  let [result, done] = ['', 0]
  for (const [from, to] of ranges.sort((a, b) => a[0] - b[0])) {
    if (from > done || done === 0) result += text.slice(done, from) + HIDDEN
    done = Math.max(done, to)
  }
  return result + text.slice(done)
}
