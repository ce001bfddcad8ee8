/**
 * Addresses and display names of a field's value as SpamAssassin's `:addr` and
 * `:name` give them: as they are written, case and all. One pass over each value;
 * at most 200 addresses of 64 KiB; what cannot be read as an address is left out.
 */

export interface WrittenAddress {
  readonly address: string
  readonly name: string
}

const MAX_CHARACTERS = 65_536
const MAX_ADDRESSES = 200
/** What ends an address that stands without brackets. */
const ENDS_ADDRESS = /[\s<>(),:;"]/

export function writtenAddresses(value: string): readonly WrittenAddress[] {
  const reader = new AddressReader(value.slice(0, MAX_CHARACTERS))
  reader.read()
  return reader.found
}

class AddressReader {
  readonly found: WrittenAddress[] = []
  readonly #text: string
  #at = 0
  /** of the address that is being read: what stands outside of brackets and comments */
  #words = ''
  #comment = ''
  #angle: string | undefined
  /** signs that nothing closes open nothing; they are searched for once */
  #unclosed = ''

  constructor(text: string) {
    this.#text = text
  }

  read(): void {
    for (; this.#at < this.#text.length && this.found.length < MAX_ADDRESSES; this.#at++) {
      const sign = this.#text[this.#at] ?? ''
      switch (sign) {
        case '"': this.#words += this.#closed('"') ?? ''; break
        case '(': this.#comment ||= (this.#closed(')') ?? '').trim(); break
        case '<': this.#angle = this.#closed('>')?.trim() ?? this.#angle; break
        case ',':
        case ';': this.#finish(); break
        // The name of a group stands before a colon and a blank.
        case ':': this.#words = this.#text[this.#at + 1] === ' ' && this.#angle === undefined ? '' : `${this.#words}:`; break
        default: this.#words += sign
      }
    }
    this.#finish()
  }

  /** What stands up to the closing sign, escapes undone; goes to that sign. Undefined: nothing closes it. */
  #closed(closing: string): string | undefined {
    if (this.#unclosed.includes(closing)) return undefined
    let inside = ''
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      const sign = this.#text[at] ?? ''
      if (sign === closing) {
        this.#at = at
        return inside
      }
      if (sign === '\\' && closing !== '>') at++
      inside += this.#text[at] ?? ''
    }
    this.#unclosed += closing
    return undefined
  }

  #finish(): void {
    const words = this.#words.replace(/\s+/g, ' ').trim()
    const comment = this.#comment
    const address = this.#angle ?? bareAddress(words)
    const name = this.#angle === undefined ? comment : words.replace(/^'(.*)'$/, '$1') || comment
    this.#words = ''
    this.#comment = ''
    this.#angle = undefined
    if (address !== '') this.found.push({ address, name })
  }
}

/** '' where there is none */
function bareAddress(words: string): string {
  return words.split(ENDS_ADDRESS).find((word) => word.indexOf('@') > 0 && !word.endsWith('@')) ?? ''
}
