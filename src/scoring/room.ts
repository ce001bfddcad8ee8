/**
 * A room that holds so many bytes: messages that are being read for scoring
 * take a part of it each, and wait in their order where there is none left.
 * What is larger than the room waits for all of it. Nobody waits for ever, and
 * only so many wait: the others are told why they do not get in.
 */
import type { EngineClock } from '../spam/engines/engine.ts'

export interface RoomSettings {
  readonly bytes: number
  /** beyond so many that wait nobody else does */
  readonly waiting: number
  readonly patienceMs: number
}

export type Entered = { readonly status: 'in'; /** to be called when it is not needed any more */ readonly leave: () => void } | { readonly status: 'refused'; readonly cause: string }

interface Waiter {
  readonly bytes: number
  readonly enter: () => void
}

export class Room {
  readonly #settings: RoomSettings
  readonly #clock: Pick<EngineClock, 'after'>
  #free: number
  readonly #queue = new Set<Waiter>()

  constructor(settings: RoomSettings, clock: Pick<EngineClock, 'after'>) {
    this.#settings = settings
    this.#clock = clock
    this.#free = settings.bytes
  }

  /** Resolves when there is room, or it was waited for too long. */
  enter(bytes: number): Promise<Entered> {
    const wanted = Math.min(bytes, this.#settings.bytes)
    if (this.#queue.size === 0 && wanted <= this.#free) {
      this.#free -= wanted
      return Promise.resolve(this.#inside(wanted))
    }
    const { waiting, patienceMs } = this.#settings
    if (this.#queue.size >= waiting) return Promise.resolve({ status: 'refused', cause: `${waiting} messages wait to be read, which is the most` })
    return new Promise((resolve) => {
      const giveUp = (): void => {
        this.#queue.delete(waiter)
        resolve({ status: 'refused', cause: `no room to read it came free in ${patienceMs} ms` })
        // Those behind it may need less.
        this.#admit()
      }
      const callOff = this.#clock.after(patienceMs, giveUp)
      const waiter: Waiter = {
        bytes: wanted,
        enter: () => {
          callOff()
          resolve(this.#inside(wanted))
        },
      }
      this.#queue.add(waiter)
    })
  }

  #inside(bytes: number): Entered {
    let inside = true
    return {
      status: 'in',
      leave: () => {
        if (!inside) return
        inside = false
        this.#free += bytes
        this.#admit()
      },
    }
  }

  #admit(): void {
    for (const waiter of this.#queue) {
      if (waiter.bytes > this.#free) return
      this.#queue.delete(waiter)
      this.#free -= waiter.bytes
      waiter.enter()
    }
  }
}
