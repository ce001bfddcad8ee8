/**
 * What the operator wants signed, and with which keys: plain data, made from
 * the configuration's `signing`. Paths are absolute; domains, selectors and
 * field names are in lower case, domains as A-labels. Nothing here was looked
 * at on disk: that is load-keys.ts.
 */
import type { Canonicalization } from '../auth/dkim/signing-order.ts'

export interface SigningSettings {
  readonly keys: readonly SigningKeySettings[]
  /**
   * A folder of keys: `<domain>.pem` (with `selector`) and
   * `<selector>._domainkey.<domain>.pem`. Each signs for exactly its domain.
   */
  readonly directory: string | undefined
  /** of the files `<domain>.pem` in `directory`; undefined: such files are an error */
  readonly selector: string | undefined
  /** OpenDKIM's tables: both or neither */
  readonly tables: SigningTables | undefined
  readonly canonicalization: { readonly header: Canonicalization; readonly body: Canonicalization }
  /** signed where they are there; DEFAULT_FIELDS of fields.ts by default. From is always among them. */
  readonly fields: readonly string[]
  /** named once more than they occur, whether they occur or not; DEFAULT_OVERSIGN */
  readonly oversign: readonly string[]
  /** the same where they occur; DEFAULT_OVERSIGN_PRESENT */
  readonly oversignPresent: readonly string[]
  /** `x=` this long after `t=`; undefined: no `x=` */
  readonly expireSeconds: number | undefined
  /** a key whose record is not known to be right is not used: the message is put off (4xx) */
  readonly requirePublished: boolean
  /** recipient domains that are sent one signature only; `.example.org` means all below it too */
  readonly singleSignature: readonly string[]
  /** what becomes of a message that cannot be signed (a header section beyond the bounds, a fault of the key): the pipeline's to heed */
  readonly onError: 'tempfail' | 'unsigned'
}

/**
 * One key, and whose mail it signs. All conditions that are given must hold.
 * Where neither `senders` nor `listIds` is given, the author's domain must be
 * `domain` (or below it, with `subdomains`).
 */
export interface SigningKeySettings {
  readonly domain: string
  readonly selector: string
  /** path of the private key */
  readonly key: string
  /** mail of domains below `domain` is signed too, with d=`domain` */
  readonly subdomains: boolean
  /** `anna@example.org`, `@example.org`, `@.example.org` (all below it), `*` (everybody); undefined: see above */
  readonly senders: readonly string[] | undefined
  /** identifiers of RFC 2919: `list.example.org`, or `.example.org` for all below it */
  readonly listIds: readonly string[] | undefined
  /** authenticated users, as they log in; undefined: whoever it is, also nobody */
  readonly users: readonly string[] | undefined
  /** names of listeners; undefined: all */
  readonly listeners: readonly string[] | undefined
  /** the field whose address counts, the first that is there; `['from']` by default */
  readonly addressFields: AddressFields
}

export type AddressFields = readonly ('from' | 'sender')[]

export interface SigningTables {
  readonly keyTable: TableFile
  readonly signingTable: TableFile
  /** OpenDKIM's MultipleSignatures: every match signs, not the first alone */
  readonly multipleSignatures: boolean
  /** OpenDKIM's SenderHeaders; `['from']` by default */
  readonly addressFields: AddressFields
}

/** `file:/path` or `/path`; `refile:/path`, whose keys are patterns. See `tableFile` of table-file.ts. */
export interface TableFile {
  readonly kind: 'file' | 'refile'
  readonly path: string
}
