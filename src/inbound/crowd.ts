/**
 * How many clients of one network (/24 of IPv4, /64 of IPv6) are looked up at
 * once. A connection that is closed gives its place among the sessions back at
 * once, and what was asked for it goes on: whoever opens and closes could keep
 * the resolver busy for everybody else.
 */
import { networkKey, parseIpAddress } from '../reputation/reverse-name.ts'

const MOST = 50

export class Crowd {
  readonly #most: number
  readonly #underWay = new Map<string, number>()

  constructor(most: number = MOST) {
    this.#most = most
  }

  /** @returns what is to be called, once, when the look-ups have ended; undefined where there are too many */
  enter(address: string | undefined): (() => void) | undefined {
    const client = address === undefined ? undefined : parseIpAddress(address)
    if (client === undefined) return () => undefined
    const key = networkKey(client)
    const count = this.#underWay.get(key) ?? 0
    if (count >= this.#most) return undefined
    this.#underWay.set(key, count + 1)
    return () => {
      const left = (this.#underWay.get(key) ?? 1) - 1
      if (left === 0) this.#underWay.delete(key)
      else this.#underWay.set(key, left)
    }
  }
}
