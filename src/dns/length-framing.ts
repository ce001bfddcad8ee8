/**
 * Messages out of a TCP stream, each after its length in two octets (RFC 1035
 * §4.2.2, RFC 7766 §8). Takes the bytes as they come, in whatever pieces; holds
 * at most one message, 65,535 octets.
 */
export class LengthFraming {
  #pending: Buffer[] = []
  #size = 0

  /** The messages that these bytes complete. */
  push(chunk: Buffer): Buffer[] {
    this.#pending.push(chunk)
    this.#size += chunk.length
    const messages: Buffer[] = []
    for (let wanted = this.#wanted(); wanted !== undefined && this.#size >= wanted; wanted = this.#wanted()) {
      const all = this.#joined()
      messages.push(all.subarray(2, wanted))
      this.#size -= wanted
      this.#pending = this.#size > 0 ? [all.subarray(wanted)] : []
    }
    return messages
  }

  /** Whether a message has begun and not ended. */
  get isInside(): boolean {
    return this.#size > 0
  }

  #wanted(): number | undefined {
    if (this.#size < 2) return undefined
    const first = this.#pending[0]
    return 2 + (first !== undefined && first.length >= 2 ? first : this.#joined()).readUInt16BE(0)
  }

  #joined(): Buffer {
    const [first] = this.#pending
    const all = this.#pending.length === 1 && first ? first : Buffer.concat(this.#pending)
    this.#pending = [all]
    return all
  }
}

export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}
