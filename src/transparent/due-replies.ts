/** The answers that are due to the client, in the order of its commands: the relay's, and our own between them. */
export interface RelayDue {
  readonly by: 'relay'
  /** in upper case; '' for the banner, '.' for a message */
  readonly verb: string
  /** the command as it went to the relay, without its end */
  readonly line: string
}

type Due = RelayDue | { readonly by: 'us'; readonly text: string }

/** RFC 2920 §3.1: commands behind which others may stand. */
const PIPELINED = new Set(['MAIL', 'RCPT', 'RSET', 'NOOP'])
/** Commands that the relay has not answered yet, above which the client waits. */
const MAX_DUE = 200

export class DueReplies {
  private list: Due[] = [{ by: 'relay', verb: '', line: '' }]
  private readonly write: (text: string) => void

  constructor(write: (text: string) => void) {
    this.write = write
  }

  get length(): number {
    return this.list.length
  }

  /** Whether the next command may go to the relay already. */
  get open(): boolean {
    const last = this.list.at(-1)
    return last === undefined || (this.list.length < MAX_DUE && (last.by === 'us' || PIPELINED.has(last.verb)))
  }

  relay(verb: string, line: string): void {
    this.list.push({ by: 'relay', verb, line })
  }

  own(text: string): void {
    this.list.push({ by: 'us', text })
    this.flushOwn()
  }

  /** What the relay's next reply is about; undefined where it was not asked. */
  take(): RelayDue | undefined {
    const first = this.list[0]
    if (first?.by !== 'relay') return undefined
    this.list.shift()
    return first
  }

  flushOwn(): void {
    for (let first = this.list[0]; first?.by === 'us'; first = this.list[0]) {
      this.list.shift()
      this.write(first.text)
    }
  }

  clear(): void {
    this.list = []
  }
}
