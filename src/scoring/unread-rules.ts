/** A file of the rules that come with Postern cannot be read: too many open files, a disk that fails, rights that are wrong. Nothing is wrong with the configuration. */
export class ShippedRulesUnread extends Error {
  override readonly name = 'ShippedRulesUnread'
}
