/**
 * The hash function of a certificate's signature (RFC 5929 §4.1), read from its
 * DER form (RFC 5280 §4.1): MD5 and SHA-1 count as SHA-256, as the RFC has it.
 * Undefined where the signature names none of its own (Ed25519), or one that is
 * not known here.
 */
const SIGNATURES: Readonly<Record<string, string>> = {
  '2a864886f70d010104': 'sha256', // md5WithRSAEncryption
  '2a864886f70d010105': 'sha256', // sha1WithRSAEncryption
  '2a864886f70d01010e': 'sha224',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d0401': 'sha256', // ecdsa-with-SHA1
  '2a8648ce3d040301': 'sha224',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
}
/** RSASSA-PSS has its hash in the parameters (RFC 4055 §3.1); SHA-1 where it says nothing. */
const PSS = '2a864886f70d01010a'
const HASHES: Readonly<Record<string, string>> = {
  '2b0e03021a': 'sha256', // SHA-1
  '608648016503040204': 'sha224',
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
}

interface Element {
  readonly tag: number
  readonly content: Buffer
  /** behind it */
  readonly end: number
}

export function certificateHash(der: Buffer): string | undefined {
  const certificate = childrenOf(element(der, 0)?.content)
  // tbsCertificate, signatureAlgorithm, signatureValue
  const [oid, parameters] = childrenOf(certificate[1]?.content)
  if (oid === undefined) return undefined
  const signature = oid.content.toString('hex')
  return signature === PSS ? pssHash(parameters) : SIGNATURES[signature]
}

function pssHash(parameters: Element | undefined): string | undefined {
  const tagged = childrenOf(parameters?.content).find(({ tag }) => tag === 0xa0)
  if (tagged === undefined) return 'sha256'
  const [oid] = childrenOf(element(tagged.content, 0)?.content)
  return oid === undefined ? undefined : HASHES[oid.content.toString('hex')]
}

function childrenOf(content: Buffer | undefined): Element[] {
  const found: Element[] = []
  if (content === undefined) return found
  for (let one = element(content, 0); one !== undefined; one = element(content, one.end)) found.push(one)
  return found
}

/** X.690 §8.1, definite lengths; undefined where none stands there whole. */
function element(bytes: Buffer, at: number): Element | undefined {
  const tag = bytes[at]
  const first = bytes[at + 1]
  if (tag === undefined || first === undefined) return undefined
  const more = first < 0x80 ? 0 : first & 0x7f
  if (more > 4 || first === 0x80 || at + 2 + more > bytes.length) return undefined
  const length = more === 0 ? first : bytes.readUIntBE(at + 2, more)
  const start = at + 2 + more
  const end = start + length
  return end > bytes.length ? undefined : { tag, content: bytes.subarray(start, end), end }
}
