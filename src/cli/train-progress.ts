/**
 * Says how far training is: a bar that is drawn again and again on a terminal,
 * a line now and then where something else reads.
 */
import { formatSize } from '../observe/readable.ts'

export interface ProgressPlace {
  readonly err: (text: string) => void
  readonly terminal: boolean
  /** of the terminal */
  readonly columns: number
  /** milliseconds, by any clock */
  readonly now: () => number
}

const BAR_MS = 100
const LINE_MS = 5000
const BAR = 24
const ERASE_LINE = '\r\x1b[K'

export class Progress {
  readonly #place: ProgressPlace
  readonly #totalBytes: number
  readonly #startedAt: number
  #shownAt: number
  #bytes = 0
  #messages = 0

  /** @param totalBytes of everything; 0 where nobody knows */
  constructor(totalBytes: number, place: ProgressPlace) {
    this.#place = place
    this.#totalBytes = totalBytes
    this.#startedAt = place.now()
    this.#shownAt = this.#startedAt
  }

  add(bytes: number): void {
    this.#bytes += bytes
    this.#messages++
    const now = this.#place.now()
    if (now - this.#shownAt < (this.#place.terminal ? BAR_MS : LINE_MS)) return
    this.#shownAt = now
    this.#show(now)
  }

  /** What comes next has to be seen, and the bar not with it. */
  clear(): void {
    if (this.#place.terminal) this.#place.err(ERASE_LINE)
  }

  /** A step that has no measure of its own. */
  step(text: string): void {
    this.#place.err(this.#place.terminal ? `${ERASE_LINE}${text} …` : `${text} …\n`)
  }

  #show(now: number): void {
    const share = this.#totalBytes > 0 ? Math.min(1, this.#bytes / this.#totalBytes) : undefined
    const second = Math.round((this.#messages * 1000) / Math.max(1, now - this.#startedAt))
    const words = `${share === undefined ? formatSize(this.#bytes) : `${Math.floor(share * 100)} %`}, ${this.#messages} messages, ${second}/s`
    if (!this.#place.terminal) this.#place.err(`${words}\n`)
    else {
      const filled = share === undefined ? 0 : Math.round(share * BAR)
      const bar = share === undefined ? '' : `[${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}] `
      this.#place.err(`${ERASE_LINE}${(bar + words).slice(0, Math.max(20, this.#place.columns - 1))}`)
    }
  }
}
