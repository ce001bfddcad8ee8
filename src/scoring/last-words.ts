/**
 * The last lines that a process wrote to its standard error, for whoever tells of
 * its end: one line of text, within bounds. Frames of a stack that go deep, and what
 * Node.js writes around its errors, are left out.
 */

const MAX_BYTES = 8192
const MAX_LINES = 8
const MAX_CHARACTERS = 200
const MAX_FRAMES = 3

/** Native frames, collections of garbage, rulers, marks below a line of a program, the version of Node.js. */
const NOISE = /^(?:\s*\d+: 0x|\[\d+:0x|-{3,}|<-{3,}|Node\.js v\d|\s*\^*\s*$)/

export class LastWords {
  #tail = Buffer.alloc(0)

  push(piece: Buffer): void {
    this.#tail = Buffer.concat([this.#tail, piece]).subarray(-MAX_BYTES)
  }

  /** Empty where nothing was said. */
  text(): string {
    const lines: string[] = []
    let frames = 0
    for (const line of this.#tail.toString('utf8').split('\n')) {
      if (NOISE.test(line)) continue
      frames = /^\s+at /.test(line) ? frames + 1 : 0
      if (frames <= MAX_FRAMES) lines.push(cut(line.trim().replace(/\p{Cc}/gu, '?')))
    }
    return lines.slice(-MAX_LINES).join(' / ')
  }
}

function cut(line: string): string {
  return line.length <= MAX_CHARACTERS ? line : `${line.slice(0, MAX_CHARACTERS - 1)}…`
}
