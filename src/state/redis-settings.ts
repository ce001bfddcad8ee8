/** Where Redis is, how it is spoken to, and what it is called. Pure. */

export interface RedisSettings {
  readonly address: { readonly kind: 'tcp'; readonly host: string; readonly port: number } | { readonly kind: 'unix'; readonly path: string }
  /** undefined: without TLS */
  readonly tls: { readonly ca: string | undefined } | undefined
  /** undefined: nobody in particular */
  readonly login: { readonly username: string | undefined; readonly passwordFile: string } | undefined
  readonly database: number
  /** of all keys, without the colon behind it */
  readonly prefix: string
}

/** `redis.example.org:6379`, `unix:/run/redis.sock` */
export function redisName({ address }: RedisSettings): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}
