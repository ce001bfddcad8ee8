/** The keys of `redis`: where it is, and who we are there. A part of `schema.ts`, which says how to read it. */
import { flag, integer, read, refuse, textFormat } from './format.ts'
import type { Format } from './format.ts'
import { filePath, hopAddress } from './format-names.ts'
import { key, optional } from './leaf.ts'
import type { Group } from './leaf.ts'
import { showValue } from './source.ts'

const userName: Format<string> = textFormat({ type: 'name', allowed: 'the name of a user of Redis, without spaces' }, (text) => (/^[\x21-\x7e]{1,200}$/.test(text) ? read(text) : refuse(`found ${showValue(text)}`)))

/** No pattern of an access list may mean more than it says, and no hash tag come before ours. */
const prefix: Format<string> = textFormat({ type: 'prefix', allowed: 'letters, digits, . _ - and :, at most 64; the last one no :' }, (text) => (/^[A-Za-z0-9._:-]{0,63}[A-Za-z0-9._-]$/.test(text) ? read(text) : refuse(`found ${showValue(text)}`)))

export const REDIS = {
  address: key(hopAddress, { doc: 'Where Redis (6 or later) or Valkey listens: `host:port` or `unix:/path`. What is kept there is chosen elsewhere, by `spam.bayes.store`.', default: '127.0.0.1:6379' }),
  tls: key(flag, { doc: 'Speak TLS with it from the first byte. The certificate is checked, with the name or address of `address`.', default: 'false' }),
  ca: optional(filePath, { doc: 'PEM file of the authorities that are accepted. Only with `tls: true`.', defaultText: "the system's" }),
  username: optional(userName, { doc: 'Who we are there (an ACL user), with `password_file`.', defaultText: 'the default user' }),
  password_file: optional(filePath, { doc: 'The file of the password: its first line. Nobody else may be able to read it.', defaultText: 'no password' }),
  database: key(integer({ min: 0, max: 9999 }), { doc: 'The number of the database there.', default: '0' }),
  prefix: key(prefix, { doc: 'What all keys begin with, before a colon. Several sites can share one Redis, each with a prefix of its own.', default: 'postern' }),
} satisfies Group
