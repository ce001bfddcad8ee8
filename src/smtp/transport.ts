/**
 * The boundary between a session and its connection: the session makes no I/O.
 */

/** What the session needs of its connection; made by the socket driver, or by a test. */
export interface Transport {
  /** Takes a binary string; false where the client does not read: `drained` says when it does again. */
  write(text: string): boolean
  /** stop and start the flow of `receive` */
  pause(): void
  resume(): void
  /** everything written so far goes out in clear, then TLS begins; `secured` is called when it stands */
  startTls(): void
  /** sends what was written, then closes */
  end(): void
}
