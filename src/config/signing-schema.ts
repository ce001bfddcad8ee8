/**
 * The keys of `signing`, and those of listeners that users log in to. A part of
 * `schema.ts`, which says how to read it.
 */
import { domainSuffix, rate } from './format-policy.ts'
import { canonicalization, fieldName, MECHANISM_COUNT, saslMechanism, selector, signingKey, socketPath, table } from './format-signing.ts'
import { duration, flag, integer, listOf, oneOf } from './format.ts'
import { filePath, suffixCharacters } from './format-names.ts'
import { key, optional } from './leaf.ts'
import type { Group } from './leaf.ts'

const MAX_KEYS = 10_000

export const SIGNING = {
  keys: key(listOf(signingKey, { min: 0, max: MAX_KEYS, type: 'list of keys' }), {
    doc: 'What mail is signed with (DKIM, RFC 6376). Mail that comes through listeners with the role `outbound` or `submission` is signed with every key that is meant for it: '
      + 'an RSA and an Ed25519 key of one domain sign both. Mail that no key is meant for leaves as it came.',
    default: '', defaultText: 'none',
  }),
  directory: optional(filePath, {
    doc: 'A folder of keys named after domains: `example.org.pem`, which is used with `selector`, or `SELECTOR._domainkey.example.org.pem`. Mail of exactly that domain is signed.',
    defaultText: 'none',
  }),
  selector: optional(selector, { doc: 'The selector of the keys in `directory` whose names have none.', defaultText: 'none' }),
  key_table: optional(table, { doc: 'A KeyTable of OpenDKIM: `name domain:selector:/path/of/key`. It goes with `signing_table`.', defaultText: 'none' }),
  signing_table: optional(table, { doc: 'A SigningTable of OpenDKIM: which sender is signed with which key. `refile:` in front of the path allows patterns with `*`.', defaultText: 'none' }),
  multiple_signatures: key(flag, { doc: 'Every line of `signing_table` that fits signs, not the first alone (MultipleSignatures of OpenDKIM).', default: 'false' }),
  canonicalization: key(canonicalization, { doc: 'How header and body are made comparable (RFC 6376 §3.4). `relaxed` survives what relays do to blanks.', default: 'relaxed/relaxed' }),
  fields: optional(listOf(fieldName, { min: 1, max: 100, type: 'list of field names' }), {
    doc: 'The header fields that are signed, where they are there. From is signed always (RFC 6376 §5.4).', defaultText: 'those that RFC 6376 §5.4.1 names, and those of mailing lists and MIME',
  }),
  oversign: optional(listOf(fieldName, { min: 0, max: 100, type: 'list of field names' }), {
    doc: 'The header fields that nobody may add one of to a signed message: they are signed once more than they are there. Where this is given, these are all.', defaultText: 'From, To, Cc, Subject and Reply-To; and where they are there Date, Message-ID, Sender, MIME-Version, Content-Type and Content-Transfer-Encoding, which relays add to mail that lacks them',
  }),
  expire: optional(duration({ min: '1d', max: '365d' }), { doc: 'How long a signature holds (`x=`). Mail can be on its way for days, and what has been delivered is checked again by some.', defaultText: 'for ever' }),
  require_published: key(flag, {
    doc: 'Sign with a key only once its DNS record has been seen and fits. Mail waits (451) while it does not. Otherwise such a key signs, and the log and `postern check --dns` say so.', default: 'false',
  }),
  single_signature: key(listOf(domainSuffix, { min: 0, max: 1000, type: 'list of domains' }), {
    doc: 'Domains of recipients whose servers take one signature only: they get that of RSA. A leading dot includes all names below.', default: '', defaultText: 'none',
  }),
  on_error: key(oneOf('tempfail', 'unsigned'), { doc: 'What becomes of mail that should be signed and cannot be: it waits (451), or it leaves without a signature.', default: 'tempfail' }),
} satisfies Group

/** Of listeners whose role is submission. */
export const SUBMISSION = {
  users: optional(filePath, {
    doc: 'Submission only: the users file with their passwords, in the form of Dovecot\'s passwd-file: `user:{SCHEME}hash:…`. `postern user` edits it. It may be the users file of a hop.',
    defaultText: 'none; then `auth.dovecot` stands',
  }),
  auth: {
    dovecot: optional(socketPath, { doc: 'Submission only: the socket of Dovecot\'s auth service, asked where `users` does not know the user.', defaultText: 'none' }),
    mechanisms: optional(listOf(saslMechanism, { min: 1, max: MECHANISM_COUNT, type: 'list of mechanisms' }), {
      doc: 'Submission only: which mechanisms are offered, where they can be used: PLAIN and LOGIN under TLS only, the others where a user has a secret for them.',
      defaultText: 'PLAIN and LOGIN, and of the others those that every user can do, since a client takes the strongest',
    }),
    client_certificates: key(oneOf('off', 'accepted', 'required'), {
      doc: 'Submission only: `accepted` takes a client certificate in place of a password, `required` wants it beside the password. Whose it is says `auth.certificate_map`.',
      default: 'off',
    }),
    client_ca: optional(filePath, { doc: 'Submission only: PEM file of the authorities of client certificates: an authority of your own, for whoever it signs can log in. No revocation list is read. Without it a certificate counts by its fingerprint alone.', defaultText: 'none' }),
    certificate_map: optional(filePath, {
      doc: 'Submission only: whose a client certificate is, a line each: `fingerprint user` (SHA-256, hexadecimal), or `address user` for an address in a certificate of `auth.client_ca`.',
      defaultText: 'the address in the certificate is the user, where the users file has it or its domain is one of `domains`',
    }),
    failures: key(integer({ min: 1, max: 1000, unit: 'attempts' }), {
      doc: 'Submission only: wrong passwords of one address in a quarter of an hour, after which its answers are 454 for `lockout`. Five times as many of one network (/24, /64), and twice as many for one account '
        + 'from networks where it has not logged in before, do the same. From the third on answers wait.', default: '10',
    }),
    lockout: key(duration({ min: '1s', max: '1d' }), { doc: 'Submission only: how long.', default: '15m' }),
  },
  senders: optional(filePath, {
    doc: 'Submission only: who may send as whom, a line each: `address-or-@domain user, user`, as Postfix has it (`smtpd_sender_login_maps`). It holds for the reverse-path and for From.',
    defaultText: '`anna@example.org` sends as itself; a user `anna` as `anna` at each of `domains`',
  }),
  suffix: key(suffixCharacters, { doc: 'Submission only: characters that begin a suffix of the local part: whoever may send as `anna@` may send as `anna+shop@`.', default: '+' }),
  rate: {
    messages: key(rate, { doc: 'Submission only: messages of one user, counted over all workers. What is more gets 450, and the log an error: a jump means stolen credentials.', default: '200/1h' }),
    recipients: key(rate, { doc: 'Submission only: recipients of one user.', default: '1000/1h' }),
  },
  hide_client: key(flag, { doc: 'Submission and outbound: `Received` does not tell the client\'s name and address.', default: 'false' }),
  transparent: key(flag, {
    doc: 'Outbound only, with an `smtp` hop: every command and reply passes as it is, AUTH, XFORWARD and XCLIENT included, on one connection to the hop for each client\'s; only the signature is added. As DKIMproxy does it.',
    default: 'false',
  }),
} satisfies Group
