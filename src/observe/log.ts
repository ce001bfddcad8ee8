/** The log as the rest of the program sees it; made by `createLog`. */
export interface Log {
  debug(facts: Readonly<Record<string, unknown>>, text: string): void
  info(facts: Readonly<Record<string, unknown>>, text: string): void
  warn(facts: Readonly<Record<string, unknown>>, text: string): void
  error(facts: Readonly<Record<string, unknown>>, text: string): void
}
