/**
 * Names of messages in a Maildir, unique over machines, processes and time:
 * `seconds.M<µs>P<pid>Q<count>R<random>.<host>`, and at the end `,S=<bytes>`,
 * by which Dovecot knows the size without a stat. Facts from the Maildir
 * specification (cr.yp.to/proto/maildir.html).
 */
export interface NameContext {
  readonly hostname: string
  readonly pid: number
  /** of this process: two in containers may both have pid 1 */
  readonly random: string
  readonly wallMs: () => number
}

/** Each call another name. */
export type NameSource = () => string

export function createNameSource(context: NameContext): NameSource {
  const host = escapeHost(context.hostname)
  let count = 0
  return () => {
    const micros = Math.floor(context.wallMs() * 1000)
    const seconds = Math.floor(micros / 1_000_000)
    count++
    return `${seconds}.M${String(micros % 1_000_000).padStart(6, '0')}P${context.pid}Q${count}R${context.random}.${host}`
  }
}

/** `/` and `:` as the specification has it; the comma because flags and sizes follow one. */
function escapeHost(hostname: string): string {
  const escaped = hostname.replace(/[/:,\x00-\x20]/g, (c) => '\\' + c.charCodeAt(0).toString(8).padStart(3, '0'))
  return escaped.slice(0, 128) || 'localhost'
}
