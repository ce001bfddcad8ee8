/**
 * MAIL's AUTH= parameter (RFC 4954 §5): who first submitted the message, on the
 * word of whoever hands it on. A client is believed that it is itself, by the
 * name it has authenticated with; any other claim becomes `<>`, not known, as
 * the RFC asks of a server that does not trust its client for more.
 */
import type { Authentication } from './authentication.ts'
import { parameter, type EnvelopePath } from './envelope.ts'
import { decodeXtext } from './xtext.ts'

export const UNKNOWN_SUBMITTER = '<>'

export function vouchedFor(sender: EnvelopePath, by: Authentication | undefined): EnvelopePath {
  const claim = parameter(sender, 'AUTH')
  if (claim === undefined || claim.value === UNKNOWN_SUBMITTER) return sender
  const submitter = decodeXtext(claim.value ?? '')
  if (by !== undefined && by.login.includes('@') && submitter?.toLowerCase() === by.login) return sender
  return { ...sender, parameters: sender.parameters.map((one) => (one === claim ? { ...one, value: UNKNOWN_SUBMITTER } : one)) }
}
