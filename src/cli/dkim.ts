/** `postern dkim …`: each subcommand is in a file of its own; exit codes as each of them says. */
import type { DkimRequest } from './dkim-command.ts'
import type { DkimIo } from './dkim-io.ts'

export async function runDkim(request: DkimRequest, io: DkimIo): Promise<number> {
  switch (request.action) {
    case 'keygen': return (await import('./dkim-keygen.ts')).runKeygen(request, io)
    case 'record': return (await import('./dkim-record.ts')).runRecord(request, io)
    case 'sign': return (await import('./dkim-sign.ts')).runSign(request, io)
    case 'verify': return (await import('./dkim-verify.ts')).runVerify(request, io)
    case 'rotate': return (await import('./dkim-rotate.ts')).runRotate(request, io)
  }
}
