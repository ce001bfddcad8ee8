/** Writes to both sides, and stops reading from one while the other does not take what was written. */
import type { TransparentPorts } from './session-ports.ts'

export class Flow {
  relayChoked = false
  private clientChoked = false
  private readonly ports: TransparentPorts

  constructor(ports: TransparentPorts) {
    this.ports = ports
  }

  toClient(text: string): void {
    if (!this.ports.toClient(text)) this.clientChoked = true
  }

  /** False where the relay does not read. */
  toRelay(bytes: Buffer | string): boolean {
    if (!this.ports.toRelay(bytes)) this.relayChoked = true
    return !this.relayChoked
  }

  drained(side: 'client' | 'relay'): void {
    if (side === 'client') this.clientChoked = false
    else this.relayChoked = false
  }

  /** @param wanted whether the session can use bytes of the client's now */
  balance(wanted: boolean): void {
    this.ports.readClient(wanted && !this.relayChoked && !this.clientChoked)
    this.ports.readRelay(!this.clientChoked)
  }
}
