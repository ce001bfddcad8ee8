/**
 * Addresses and display names of a field's value as SpamAssassin's `:addr` and
 * `:name` give them: as they are written, case and all. One pass over each value;
 * at most 200 addresses of 64 KiB. What cannot be read as an address is none, and
 * a name may stand without one. Values are bytes.
 */
import { withoutEdges } from './bytes.ts'

export interface WrittenAddress {
  /** '': none */
  readonly address: string
  /** '': none */
  readonly name: string
}

const MAX_CHARACTERS = 65_536
const MAX_ADDRESSES = 200
const ADDRESS = /^(?:"(?:[^"\\]|\\.)*"|[^@ \t-\r<>()[\],:;]+)@(?:[^" \t-\r<>()[\],:;]+|\[[\d:.]+\])$/

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
  /** the same with quotes */
  #bare = ''
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
        case '"': this.#quoted(); break
        case '(': this.#comment ||= withoutEdges(this.#closed(')') ?? ''); break
        case '<': this.#inBrackets(); break
        case ',':
        case ';': this.#finish(); break
        // The name of a group stands before a colon and a blank.
        case ':': this.#colon(); break
        default: this.#add(sign)
      }
    }
    this.#finish()
  }

  #add(text: string): void {
    this.#words += text
    this.#bare += text
  }

  #quoted(): void {
    const text = this.#closed('"')
    if (text === undefined) return
    this.#words += text
    this.#bare += `"${text}"`
  }

  #inBrackets(): void {
    const text = this.#closed('>')
    if (text !== undefined) this.#angle = withoutEdges(text)
  }

  #colon(): void {
    if (this.#text[this.#at + 1] !== ' ' || this.#angle !== undefined) this.#add(':')
    else this.#words = this.#bare = ''
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
    const words = withoutEdges(this.#words.replace(/[ \t-\r]+/g, ' '))
    const address = this.#angle === undefined ? addressIn(withoutEdges(this.#bare)) ?? addressIn(words) ?? '' : addressIn(this.#angle) ?? ''
    const name = (this.#angle === undefined && address !== '' ? '' : words.replace(/^'(.*)'$/s, '$1')) || (address === '' ? '' : this.#comment)
    this.#words = this.#bare = ''
    this.#comment = ''
    this.#angle = undefined
    if (address !== '' || name !== '') this.found.push({ address, name })
  }
}

/** All of it is an address; of several hosts the first one counts. */
function addressIn(text: string): string | undefined {
  return ADDRESS.test(text) ? /^[^@]*@[^@]*/.exec(text)?.[0] : undefined
}
