/** What a front door is given beside its clock and log, in tests in which nothing is judged. */
import type { FrontDoorContext } from '../../src/pipeline.ts'

export const NOTHING_KEPT: Pick<FrontDoorContext, 'quarantine' | 'remember'> = {
  quarantine: () => Promise.reject(new Error('nothing is judged here, so nothing is kept')),
  remember: () => undefined,
}
