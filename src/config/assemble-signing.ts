/** Makes the settings of signing and of submission out of sections without errors: paths absolute, defaults filled in. */
import { resolve } from 'node:path'
import { DEFAULT_FIELDS, DEFAULT_OVERSIGN, DEFAULT_OVERSIGN_PRESENT } from '../signing/fields.ts'
import type { SigningSettings, SigningTables, TableFile } from '../signing/settings.ts'
import type { Domain } from '../smtp/envelope.ts'
import { DEFAULT_GUARD } from '../submission/settings.ts'
import type { ValuesOf } from './leaf.ts'
import type { LISTENER } from './schema.ts'
import type { SubmissionSettings } from './settings.ts'
import type { SIGNING } from './signing-schema.ts'

/** Dovecot makes whoever has failed wait for up to 17 s by itself. */
const DOVECOT_TIMEOUT_MS = 30_000

export function assembleSigning(values: ValuesOf<typeof SIGNING>, base: string): SigningSettings {
  return {
    keys: values.keys.map((one) => ({ ...one, key: resolve(base, one.key), addressFields: ['from'] })),
    directory: values.directory === undefined ? undefined : resolve(base, values.directory),
    selector: values.selector,
    tables: tablesOf(values, base),
    canonicalization: values.canonicalization,
    fields: values.fields ?? DEFAULT_FIELDS,
    oversign: values.oversign ?? DEFAULT_OVERSIGN,
    oversignPresent: values.oversign === undefined ? DEFAULT_OVERSIGN_PRESENT : [],
    expireSeconds: values.expire === undefined ? undefined : Math.floor(values.expire / 1000),
    requirePublished: values.require_published,
    singleSignature: values.single_signature,
    onError: values.on_error,
  }
}

function tablesOf({ key_table: keyTable, signing_table: signingTable, multiple_signatures: multipleSignatures }: ValuesOf<typeof SIGNING>, base: string): SigningTables | undefined {
  if (keyTable === undefined || signingTable === undefined) return undefined
  const placed = (table: TableFile): TableFile => ({ ...table, path: resolve(base, table.path) })
  return { keyTable: placed(keyTable), signingTable: placed(signingTable), multipleSignatures, addressFields: ['from'] }
}

interface Ground {
  readonly base: string
  readonly domains: ReadonlySet<Domain>
}

export function assembleSubmission(values: ValuesOf<typeof LISTENER>, { base, domains }: Ground): SubmissionSettings {
  const { auth } = values
  const path = (text: string | undefined): string | undefined => (text === undefined ? undefined : resolve(base, text))
  return {
    authentication: {
      listener: values.name,
      users: path(values.users),
      dovecot: auth.dovecot === undefined ? undefined : { socket: { path: resolve(base, auth.dovecot) }, timeoutMs: DOVECOT_TIMEOUT_MS },
      domains,
      mechanisms: auth.mechanisms,
      // The check lets that stand on this machine only.
      withoutTls: values.tls.cert === undefined,
      guard: { ...DEFAULT_GUARD, perAddress: auth.failures, perNetwork: 5 * auth.failures, perAccount: 2 * auth.failures, lockMs: auth.lockout },
      certificates: auth.client_certificates === 'off' ? undefined : { mode: auth.client_certificates === 'accepted' ? 'instead' : 'second', map: path(auth.certificate_map) },
    },
    sendAs: { senders: path(values.senders), domains, suffix: values.suffix },
    rate: values.rate,
    clientCertificates: auth.client_certificates === 'off' ? undefined : { ca: path(auth.client_ca) },
  }
}
