/**
 * Whether a password is the one that a hash was made of. Nothing here blocks:
 * Argon2, scrypt and PBKDF2 run in node's thread pool, few at once, for files
 * need it too; bcrypt and SHA-crypt in a thread of their own. Each waits for its
 * turn (fair-queue.ts); who finds no place, or is not wanted any more when its
 * turn comes, gets `busy`. All comparisons take the same time whatever differs.
 * Nothing rejects.
 */
import { argon2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { FairQueue } from './fair-queue.ts'
import { ANY_TURN, HashThread, MAX_WAITING, MAX_WAITING_OF_LANE, type Verified, type WorkTurn } from './hash-thread.ts'
import { hmacContexts } from './md5.ts'
import type { Argon2Hash, PasswordHash, ScramSecret, ScryptHash } from './password-hash.ts'
import { passwordForms } from './prepare.ts'
import { scramSecret } from './scram-keys.ts'

export interface PasswordWork {
  /** @param password as it came; its forms are made here */
  verify(hash: PasswordHash, password: string, turn?: WorkTurn): Promise<Verified>
  /** What SCRAM needs of a password that is kept as it is. */
  derive(password: string, how: { readonly salt: Buffer; readonly iterations: number }, turn?: WorkTurn): Promise<ScramSecret | 'busy'>
  close(): Promise<void>
}

export interface PasswordWorkSettings {
  /** of Argon2, scrypt and PBKDF2 at once; 2. Each may take 256 MiB. */
  readonly atOnce?: number
  /** of each kind; 64 */
  readonly maxWaiting?: number
  /** of one network; 16 */
  readonly maxWaitingOfLane?: number
  readonly onTrouble: (cause: string) => void
}

const AT_ONCE = 2
/** What is longer is nobody's, and would cost the more. */
const MAX_PASSWORD_BYTES = 1024

export function createPasswordWork(settings: PasswordWorkSettings): PasswordWork {
  const { atOnce = AT_ONCE, maxWaiting = MAX_WAITING, maxWaitingOfLane = MAX_WAITING_OF_LANE, onTrouble } = settings
  const thread = new HashThread({ maxWaiting, maxWaitingOfLane, onTrouble })
  const waiting = new FairQueue<(place: 'given' | 'none') => void>({ most: maxWaiting, mostOfLane: maxWaitingOfLane })
  let running = 0
  let closed = false

  async function inPool<T>({ lane, wanted }: WorkTurn, work: () => Promise<T>): Promise<T | 'busy'> {
    if (closed) return 'busy'
    if (running < atOnce) running++
    else if (await new Promise<'given' | 'none'>((resolve) => waiting.push(lane, resolve)?.('none')) === 'none') return 'busy'
    try {
      return wanted() ? await work() : 'busy'
    } catch (error) {
      onTrouble(error instanceof Error ? error.message : String(error))
      return 'busy'
    } finally {
      // The place goes to the next one, so that nobody comes between.
      const next = waiting.shift()
      if (next === undefined) running--
      else next('given')
    }
  }

  async function check(hash: PoolHash, forms: readonly string[], turn: WorkTurn): Promise<Verified> {
    return await inPool(turn, async () => {
      // Each is computed, also behind one that matches.
      const found: boolean[] = []
      for (const form of forms) found.push(await matches(hash, form))
      return verdict(found)
    })
  }

  return {
    derive: (password, how, turn = ANY_TURN) => inPool(turn, () => scramSecret(password, how)),
    async verify(hash, password, turn = ANY_TURN) {
      if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) return 'mismatch'
      const forms = passwordForms(password)
      switch (hash.scheme) {
        case 'bcrypt':
        case 'sha256-crypt':
        case 'sha512-crypt': return await thread.verify(hash, forms, turn)
        case 'scram-sha-256': return await check(hash, [password], turn)
        case 'argon2id':
        case 'argon2i':
        case 'scrypt': return await check(hash, forms, turn)
        case 'cram-md5': return verdict(forms.map((form) => timingSafeEqual(hmacContexts(Buffer.from(form)), hash.contexts)))
        case 'plain': {
          const secrets = passwordForms(hash.secret)
          return verdict(forms.flatMap((form) => secrets.map((secret) => sameText(form, secret))))
        }
      }
    },
    async close() {
      closed = true
      await thread.close()
    },
  }
}

type PoolHash = Extract<PasswordHash, { scheme: 'argon2id' | 'argon2i' | 'scrypt' | 'scram-sha-256' }>

async function matches(hash: PoolHash, password: string): Promise<boolean> {
  switch (hash.scheme) {
    case 'argon2id':
    case 'argon2i': return timingSafeEqual(await argon2Tag(hash, password), hash.tag)
    case 'scrypt': return timingSafeEqual(await scryptKey(hash, password), hash.key)
    case 'scram-sha-256': return timingSafeEqual((await scramSecret(password, hash)).storedKey, hash.storedKey)
  }
}

export function argon2Tag(hash: Argon2Hash, password: string): Promise<Buffer> {
  const { memoryKiB: memory, passes, lanes: parallelism, salt: nonce, tag } = hash
  return new Promise((resolve, reject) => argon2(hash.scheme, { message: password, nonce, parallelism, tagLength: tag.length, memory, passes }, (error, computed) => {
    if (error === null) resolve(computed)
    else reject(error)
  }))
}

export function scryptKey(hash: ScryptHash, password: string): Promise<Buffer> {
  const { ln, blockSize, lanes, salt, key } = hash
  // The bound of node's own is 32 MiB; the hash was held to ours when it was read.
  const options = { N: 2 ** ln, r: blockSize, p: lanes, maxmem: 2 * 128 * 2 ** ln * blockSize + 1024 * 1024 }
  return new Promise((resolve, reject) => scrypt(password, salt, key.length, options, (error, computed) => {
    if (error === null) resolve(computed)
    else reject(error)
  }))
}

function verdict(found: readonly boolean[]): Verified {
  return found.includes(true) ? 'match' : 'mismatch'
}

/** Of another length as long as of the same. */
function sameText(a: string, b: string): boolean {
  const size = MAX_PASSWORD_BYTES * 4 + 4
  const [one, other] = [a, b].map((text) => {
    const padded = Buffer.alloc(size)
    padded.writeUInt32LE(Buffer.byteLength(text), 0)
    padded.write(text, 4)
    return padded
  }) as [Buffer, Buffer]
  return timingSafeEqual(one, other)
}

/** A hash of the same cost as this one that no password is known for: what an unknown user is checked against. */
export function decoyOf(hash: PasswordHash): PasswordHash {
  switch (hash.scheme) {
    case 'argon2id':
    case 'argon2i': return { ...hash, salt: randomBytes(hash.salt.length), tag: randomBytes(hash.tag.length) }
    case 'scrypt': return { ...hash, salt: randomBytes(hash.salt.length), key: randomBytes(hash.key.length) }
    case 'bcrypt': return { ...hash, text: hash.text.slice(0, 7) + cryptText(53) }
    case 'sha256-crypt':
    case 'sha512-crypt': return { ...hash, salt: cryptText(16), hash: cryptText(hash.hash.length) }
    case 'scram-sha-256': return { ...hash, salt: randomBytes(hash.salt.length), storedKey: randomBytes(32), serverKey: randomBytes(32) }
    case 'cram-md5': return { ...hash, contexts: randomBytes(32) }
    case 'plain': return { ...hash, secret: randomBytes(24).toString('base64') }
  }
}

/** Characters that crypt(3) writes salts and hashes in; of those that any base64 has. */
function cryptText(length: number): string {
  return randomBytes(length).toString('base64').replaceAll('+', '.').replaceAll('=', '/').slice(0, length)
}

/** Hashes of one cost have one. */
export function costOf(hash: PasswordHash): string {
  switch (hash.scheme) {
    case 'argon2id':
    case 'argon2i': return `${hash.scheme} ${hash.memoryKiB} ${hash.passes} ${hash.lanes}`
    case 'scrypt': return `scrypt ${hash.ln} ${hash.blockSize} ${hash.lanes}`
    case 'bcrypt': return `bcrypt ${hash.cost}`
    case 'sha256-crypt':
    case 'sha512-crypt': return `${hash.scheme} ${hash.rounds}`
    case 'scram-sha-256': return `scram-sha-256 ${hash.iterations}`
    case 'cram-md5':
    case 'plain': return hash.scheme
  }
}
