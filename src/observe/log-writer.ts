/**
 * Where log lines go: a file descriptor, usually standard output.
 *
 * The trade-off. A write for each line is safe and slow; writing behind from a
 * thread is fast, and loses the last lines of a crash. So lines are collected
 * for the rest of the current turn of the event loop and leave in one write, a
 * few microseconds for many lines; a warning or an error leaves at once, with
 * all that was before it. What a `kill -9` can cost is the info lines of one
 * turn, and none of them is a promise: those are kept on disk.
 *
 * Pipes and sockets (journald, `| tee`) are written without blocking: a reader
 * that hangs must not hang the mail. What it does not take waits in memory, up
 * to `MAX_WAITING_BYTES`; then lines are dropped, and counted in a line of
 * their own once the reader is back. Files and terminals are written
 * synchronously, as every program does.
 *
 * Each write to a pipe is at most `PIPE_BUF` (4096 bytes, pipe(7)) of whole
 * lines, which makes it atomic: lines of several workers never mix.
 */
import { fstatSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'

export interface LineWriter {
  /** Takes a line that ends in LF. Urgent lines, and those before them, leave before this returns. */
  write(line: string, urgent: boolean): void
  /** Writes what has been collected; resolves when it is gone, or after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>
}

/** Takes text now, or says how much of it waits; `dead` once nobody can read it any more. */
export interface Sink {
  write(text: string): void
  waitingBytes(): number
  /** resolves when nothing waits */
  drained(): Promise<void>
}

const PIPE_BUF = 4096
const MAX_WAITING_BYTES = 1024 * 1024

/** `dropped` makes the line that tells how many lines were lost. */
export function createLineWriter(sink: Sink, dropped: (lines: number) => string): LineWriter {
  let batch = ''
  let batchBytes = 0
  let scheduled = false
  let lost = 0

  function flushBatch(): void {
    if (batch === '') return
    const text = batch
    batch = ''
    batchBytes = 0
    sink.write(text)
  }
  function endOfTurn(): void {
    scheduled = false
    flushBatch()
  }
  function add(line: string): void {
    const bytes = Buffer.byteLength(line)
    if (batchBytes + bytes > PIPE_BUF) flushBatch()
    batch += line
    batchBytes += bytes
  }
  // process.exit() leaves no further turn.
  process.on('exit', flushBatch)

  return {
    write(line, urgent) {
      if (sink.waitingBytes() > MAX_WAITING_BYTES) {
        lost++
        return
      }
      if (lost > 0) {
        const count = lost
        lost = 0
        add(dropped(count))
      }
      add(line)
      if (urgent) {
        flushBatch()
      } else if (!scheduled) {
        scheduled = true
        setImmediate(endOfTurn)
      }
    },
    async flush(timeoutMs) {
      flushBatch()
      if (sink.waitingBytes() === 0) return
      let timer: NodeJS.Timeout | undefined
      const timeout = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs)
      })
      await Promise.race([sink.drained(), timeout])
      clearTimeout(timer)
    },
  }
}

/** The sink for a descriptor, after what kind of file it is. */
export function openSink(fd: number): Sink {
  const kind = fstatSync(fd)
  return kind.isFIFO() || kind.isSocket() ? streamSink(new Socket({ fd, readable: false, writable: true })) : fileSink(fd)
}

/**
 * libuv tries to write before it queues, so that text has left the process
 * when `write` returns, unless the reader is behind.
 */
export function streamSink(stream: Socket): Sink {
  let dead = false
  // The reader is gone (EPIPE). There is nobody to tell, and mail goes on.
  stream.on('error', () => {
    dead = true
  })
  // The log alone keeps no process alive.
  stream.unref()
  return {
    write(text) {
      if (!dead) stream.write(text)
    },
    waitingBytes: () => (dead ? 0 : stream.writableLength),
    drained: () =>
      new Promise((resolve) => {
        if (dead) return resolve()
        stream.once('drain', resolve)
        stream.once('close', resolve)
      }),
  }
}

function fileSink(fd: number): Sink {
  return {
    write(text) {
      writeWhole(fd, Buffer.from(text))
    },
    waitingBytes: () => 0,
    drained: () => Promise.resolve(),
  }
}

function writeWhole(fd: number, bytes: Buffer): void {
  let from = 0
  let retries = 0
  while (from < bytes.length) {
    try {
      from += writeSync(fd, bytes, from)
      retries = 0
    } catch (error) {
      // A terminal that somebody else has made non-blocking is full for a moment.
      if (!isAgain(error) || ++retries > 100) return // Disk full, terminal gone: a log that cannot be written stops no mail.
      Atomics.wait(SLEEP, 0, 0, 1)
    }
  }
}

const SLEEP = new Int32Array(new SharedArrayBuffer(4))

function isAgain(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
}
