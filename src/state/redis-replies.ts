/** Replies of Redis as what they must be. Throws where they are something else: that is a bug, or no Redis. */
import type { RedisReply } from './redis-connection.ts'

export function listOf(reply: RedisReply | undefined): readonly RedisReply[] {
  if (Array.isArray(reply)) return reply as readonly RedisReply[]
  throw new Error('a reply of Redis is no list')
}

export function bufferOf(reply: RedisReply | undefined): Buffer {
  if (Buffer.isBuffer(reply)) return reply
  throw new Error('a reply of Redis is no string')
}

export function textOf(reply: RedisReply | undefined): string {
  return typeof reply === 'number' || typeof reply === 'string' ? String(reply) : bufferOf(reply).toString()
}

export function numberOf(reply: RedisReply | undefined): number {
  const number = Number(textOf(reply))
  if (!Number.isFinite(number)) throw new Error('a reply of Redis is no number')
  return number
}
