/**
 * A socket that listens to what the other side had said before it closed the
 * connection on us. Node.js destroys a socket whose write fails, and with it an
 * answer that lies there unread: that the message is too large, say. This one
 * tells of the failure a turn of the event loop later, when what had come is read.
 */
import { Socket } from 'node:net'

type Done = (error?: Error | null) => void

export class PatientSocket extends Socket {
  override _write(chunk: Buffer, encoding: BufferEncoding, done: Done): void {
    super._write(chunk, encoding, patient(done))
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: Done): void {
    super._writev?.(chunks, patient(done))
  }
}

function patient(done: Done): Done {
  return (error) => {
    if (error === undefined || error === null) return done()
    // Between the two lies one look at everything that can be read.
    setImmediate(() => setImmediate(() => done(error)))
  }
}
