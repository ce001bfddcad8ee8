/** What a front door is given beside its clock and log, in tests in which nothing is judged. */
import type { FrontDoorContext, FrontDoorSettings } from '../../src/front-door.ts'

export const NOTHING_KEPT: Pick<FrontDoorContext, 'quarantine' | 'remember' | 'corresponded'> = {
  quarantine: () => Promise.reject(new Error('nothing is judged here, so nothing is kept')),
  remember: () => undefined,
  corresponded: () => undefined,
}

/** Nobody logs in, nothing is signed. */
export const NOTHING_SIGNED: Pick<FrontDoorSettings, 'outbound' | 'authenticator' | 'hideClient'> = { outbound: undefined, authenticator: undefined, hideClient: false }
