/** The schemes in which `postern user` writes passwords; the command line needs their names, and nothing else of them. */
export const WRITTEN_SCHEMES = ['argon2id', 'scrypt', 'bcrypt', 'sha512-crypt', 'sha256-crypt', 'scram-sha-256', 'cram-md5'] as const
export type WrittenScheme = (typeof WRITTEN_SCHEMES)[number]
