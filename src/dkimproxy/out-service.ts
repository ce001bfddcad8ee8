/** dkimproxy.out: what it does to a message, with the keys and maps as they are at the moment. */
import type { MakePassingMessage } from '../transparent/passing-message.ts'
import { SignedMessage, type PassingSignature } from '../transparent/signed-message.ts'
import type { HeaderSection } from '../message/header-section.ts'
import type { SigningOrder } from '../auth/dkim/signing-order.ts'
import { strangerText } from '../auth/stranger-text.ts'
import { messageWords } from './message-words.ts'
import { OutSigning } from './out-signing.ts'
import { readOutPlan } from './out-plan.ts'
import type { ProxyService, ServiceContext, ServiceReading } from './service.ts'
import type { OutSettings } from './settings.ts'

export function openOut(settings: OutSettings, context: ServiceContext): ServiceReading {
  const first = readOutPlan(settings, context.cwd)
  if (first.errors.length > 0) return { status: 'wrong', errors: first.errors, warnings: first.warnings }
  return { status: 'ok', service: new OutService(settings, context, new OutSigning(first.plan)), warnings: first.warnings }
}

class OutService implements ProxyService {
  private readonly settings: OutSettings
  private readonly context: ServiceContext
  private signing: OutSigning

  constructor(settings: OutSettings, context: ServiceContext, signing: OutSigning) {
    this.settings = settings
    this.context = context
    this.signing = signing
  }

  /** Maps and keys are read again; bad ones are reported, and those of before stay. */
  reload(): ReturnType<ProxyService['reload']> {
    const { plan, errors, warnings } = readOutPlan(this.settings, this.context.cwd)
    if (errors.length === 0) this.signing = new OutSigning(plan)
    return { errors, warnings }
  }

  message(): MakePassingMessage {
    const { settings, context } = this
    const onError = settings.rejectError ? 'tempfail' : 'unsigned'
    return (envelope) => {
      // The signer of the log line is that of the orders, which only the decision knows.
      let orders: readonly SigningOrder[] = []
      const { signing } = this
      return new SignedMessage({
        listener: settings.program,
        signing: {
          decide(request) {
            const decision = signing.decide(request)
            if (decision.status === 'sign') orders = decision.orders
            return decision
          },
        },
        spool: context.spool, date: context.date, onError, onDefer: onError,
        refusal: (cause) => `450 DKIM - temperror (${strangerText(cause, 300)})\r\n`,
        onSigned: (outcome, section) => this.log(outcome, section, orders),
      }, envelope)
    }
  }

  private log(outcome: PassingSignature, section: HeaderSection | undefined, orders: readonly SigningOrder[]): void {
    const line = (level: number, text: string): void => this.context.log.line(level, text)
    const [order] = orders
    switch (outcome.status) {
      case 'signed':
        return line(2, `DKIM signing - signed; ${messageWords(section, order === undefined ? '' : (order.identity ?? `@${order.key.domain}`))}`)
      case 'skipped':
      case 'unsigned':
        return line(2, `DKIM signing - skipped; ${messageWords(section, '')}`)
      case 'deferred':
        return line(1, `signing error: ${outcome.why}; ${messageWords(section, '')}`)
      case 'failed':
        return line(1, `signing error: ${outcome.cause}; ${messageWords(section, '')}`)
    }
  }
}
