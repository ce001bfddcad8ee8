/** What every command that reads the configuration takes. */
export interface ConfigOption {
  /** of --config */
  readonly config?: string
}
