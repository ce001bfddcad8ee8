/**
 * How long rules may take, from the inside to the outside: each of these times holds
 * those before it, so that nobody gives up while somebody else may still succeed.
 */

/** Whoever reads rules gives up by himself after so long: so he can say what took it. */
export const TASK_MS = 35_000
/** To find out which of them are the dearest; where there is time left, so much more. */
export const WEIGHING_MS = 3500
export const LONG_WEIGHING_MS = 8000
/** What the configuration wants, with all tries, and to find out what it costs (rules-cost.ts): thousands of SpamAssassin's rules take some seconds. */
export const WANTED_RULES_MS = 40_000
/** After that those that come with Postern, alone: they take one. */
const SHIPPED_RULES_MS = 10_000
/** A whole reading. A supervisor gives a worker 60 s for a reload, in which it may have to read them itself. */
export const READING_MS = WANTED_RULES_MS + SHIPPED_RULES_MS
/** What a worker waits for those that its supervisor reads: as long as that may take, and for their way. */
export const GIVEN_RULES_MS = READING_MS + 10_000
