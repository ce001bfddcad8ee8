/**
 * What is done in Redis itself for the classifier, each script whole or not at
 * all, and each over in a few milliseconds. Keys and packed values are those of
 * redis-bayes-packing.ts. The first key is always that of the numbers.
 *
 * Each replies a list whose first item is `ok`, or else: `empty`, nothing is
 * there (lost, or never made); `other`, it was made by and for others since; `lost`,
 * another does the upkeep, or that step of it was done already.
 */
import { redisScript } from './redis-connection.ts'

/** `shape`: version of the tokens and number of buckets. Of its keys the second is the lease where there is a holder. */
const GUARD = `
local numbers = KEYS[1]
local function guard(shape, holder, leaseMs)
  local known = redis.call('HMGET', numbers, 'version', 'bits')
  if not known[1] then return {'empty'} end
  if known[1] .. ':' .. known[2] ~= shape then return {'other'} end
  if holder then
    local held = redis.call('GET', KEYS[2])
    if held and held ~= holder then return {'lost'} end
    redis.call('SET', KEYS[2], holder, 'PX', leaseMs)
  end
end
`

/**
 * ARGV: version of the tokens, bits, first revision, what all keys begin with. Makes what is not there; says which version and bits it has.
 * \`rest\`: the numbers were lost, and something of what they told of is still there. Some of the buckets are enough to see it by.
 */
export const OPEN = redisScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then
  local under = ARGV[4]
  if redis.call('EXISTS', under .. 'waiting', under .. 'kept', under .. 'ham', under .. 'spam') > 0 then return {'rest'} end
  for at = 0, 4095 do
    if redis.call('EXISTS', under .. 'm:' .. at, under .. 't:' .. at) > 0 then return {'rest'} end
  end
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'bits', ARGV[2], 'since', ARGV[3], 'revision', ARGV[3], 'ham', '0', 'spam', '0', 'tokens', '0')
end
local made = redis.call('HMGET', KEYS[1], 'version', 'bits')
return {'ok', made[1], made[2]}
`)

/** ARGV: what all keys begin with, first and last bucket. Removes what the numbers told of, as long as there are none. */
export const CLEAR = redisScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then return {'ok'} end
local under = ARGV[1]
redis.call('DEL', under .. 'waiting', under .. 'kept', under .. 'ham', under .. 'spam', under .. 'upkeep')
for at = tonumber(ARGV[2]), tonumber(ARGV[3]) do redis.call('DEL', under .. 't:' .. at, under .. 'm:' .. at) end
return {'ok'}
`)

/** By Redis's own clock, which is the same for all machines: none of them is ahead of it. */
const TODAY = `
local function notAhead(day)
  return math.min(tonumber(day), math.floor(tonumber(redis.call('TIME')[1]) / 86400))
end
`

const COUNT = `
local function count(name, change)
  if change ~= 0 and redis.call('HINCRBY', numbers, name, change) < 0 then redis.call('HSET', numbers, name, '0') end
end
local function wait(ham, spam, day, tokens)
  count('ham', ham)
  count('spam', spam)
  redis.call('HINCRBY', numbers, 'revision', 1)
  return redis.call('RPUSH', KEYS[3], struct.pack('<i1i1I2', ham, spam, day) .. tokens)
end
`

/** KEYS: numbers, messages, waiting, kept, the days of its own class, of the other. ARGV: shape, key, class, day, tokens, singles. Replies how many wait. */
export const LEARN = redisScript(`${GUARD}${TODAY}${COUNT}
local wrong = guard(ARGV[1])
if wrong then return wrong end
local key, class, day = ARGV[2], ARGV[3], notAhead(ARGV[4])
local known = redis.call('HGET', KEYS[2], key)
local before = known and string.match(known, '^[hs]')
if before == class then return {'ok', 'known', 0} end
redis.call('HSET', KEYS[2], key, class .. struct.pack('<I2', day))
redis.call('HSET', KEYS[4], key, class .. ARGV[6])
redis.call('ZREM', KEYS[6], key)
redis.call('ZADD', KEYS[5], day, key)
local moved = before and -1 or 0
local waiting = class == 'h' and wait(1, moved, day, ARGV[5]) or class == 's' and wait(moved, 1, day, ARGV[5])
return {'ok', before and 'moved' or 'learned', waiting}
`)

/** KEYS: numbers, messages, waiting, kept, days of ham, of spam. ARGV: shape, key, day, tokens. */
export const FORGET = redisScript(`${GUARD}${TODAY}${COUNT}
local wrong = guard(ARGV[1])
if wrong then return wrong end
local key = ARGV[2]
local known = redis.call('HGET', KEYS[2], key)
if not known then return {'ok', 'unknown', 0} end
redis.call('HDEL', KEYS[2], key)
redis.call('HDEL', KEYS[4], key)
redis.call('ZREM', KEYS[5], key)
redis.call('ZREM', KEYS[6], key)
local ham = string.sub(known, 1, 1) == 'h'
return {'ok', 'forgotten', wait(ham and -1 or 0, ham and 0 or -1, notAhead(ARGV[3]), ARGV[4])}
`)

/** KEYS: numbers. Replies version, ham, spam, or nothing of each. */
export const GLANCE = redisScript(`return redis.call('HMGET', KEYS[1], 'version', 'ham', 'spam')`)

/** What the server says of itself. */
export const INFO = redisScript(`return redis.call('INFO')`)

/** KEYS: numbers, waiting, days of ham, of spam. ARGV: shape. */
export const COUNTS = redisScript(`${GUARD}
local wrong = guard(ARGV[1])
if wrong then return wrong end
local found = redis.call('HMGET', numbers, 'ham', 'spam', 'tokens', 'revision', 'since', 'expiry_held')
return {'ok', found[1], found[2], found[3], found[4], found[5], redis.call('LLEN', KEYS[2]), found[6] or '', redis.call('ZCARD', KEYS[3]), redis.call('ZCARD', KEYS[4])}
`)

/* --- upkeep; ARGV begins with shape, holder, milliseconds of the lease --- */

/** KEYS: numbers, lease. Takes the lease; says what was begun: rows of a batch and the last token of it that was added, day of the last expiry; tokens, revision; that day, or the one that Redis has where it is ahead; the day on which an expiry was held back. ARGV: …, day. */
export const HOLD = redisScript(`${GUARD}${TODAY}
local wrong = guard(ARGV[1], ARGV[2], ARGV[3])
if wrong then return wrong end
local found = redis.call('HMGET', numbers, 'batch', 'done', 'expired', 'tokens', 'revision', 'expiry_held')
return {'ok', found[1] or '', found[2] or '', found[3] or '', found[4], found[5], notAhead(ARGV[4]), found[6] or ''}
`)

/** KEYS: numbers, lease. ARGV: …, holder. */
export const RELEASE = redisScript(`
if redis.call('GET', KEYS[2]) == ARGV[2] then redis.call('DEL', KEYS[2]) end
return {'ok'}
`)

/** KEYS: numbers, lease, waiting. ARGV: …, first row, last row. */
export const ROWS = redisScript(`${GUARD}
local wrong = guard(ARGV[1], ARGV[2], ARGV[3])
if wrong then return wrong end
return {'ok', redis.call('LRANGE', KEYS[3], ARGV[4], ARGV[5])}
`)

/** KEYS: numbers, lease. ARGV: …, name, value: one of the numbers is that now. An empty value: it is gone. */
export const SET = redisScript(`${GUARD}
local wrong = guard(ARGV[1], ARGV[2], ARGV[3])
if wrong then return wrong end
if ARGV[5] == '' then redis.call('HDEL', numbers, ARGV[4]) else redis.call('HSET', numbers, ARGV[4], ARGV[5]) end
return {'ok'}
`)

/** KEYS: numbers, lease, buckets. ARGV: …, rows of the batch, last token that was added, the last one now, day, then for each bucket its changes. */
export const ADD = redisScript(`${GUARD}
local wrong = guard(ARGV[1], ARGV[2], ARGV[3])
if wrong then return wrong end
local begun = redis.call('HMGET', numbers, 'batch', 'done')
if begun[1] ~= ARGV[4] or (begun[2] or '') ~= ARGV[5] then return {'lost'} end
local widths = {[4] = '<I2I1I1', [6] = '<I2I2I2', [10] = '<I2I4I4'}
local today, made, most = tonumber(ARGV[7]), 0, 4294967295
for at = 3, #KEYS do
  local bucket, changes = KEYS[at], ARGV[at + 5]
  for from = 1, #changes, 9 do
    local field = string.sub(changes, from, from + 4)
    local moreHam, moreSpam = struct.unpack('<i2i2', changes, from + 5)
    local held = redis.call('HGET', bucket, field)
    local more = moreHam > 0 or moreSpam > 0
    if held or more then
      local day, ham, spam = 0, 0, 0
      local format = held and widths[#held]
      -- What nobody can read counts for nothing.
      if format then day, ham, spam = struct.unpack(format, held) end
      if more and today > day then day = today end
      ham = math.min(most, math.max(0, ham + moreHam))
      spam = math.min(most, math.max(0, spam + moreSpam))
      if ham == 0 and spam == 0 then
        made = made - redis.call('HDEL', bucket, field)
      else
        local largest = math.max(ham, spam)
        local width = largest < 256 and 4 or largest < 65536 and 6 or 10
        made = made + redis.call('HSET', bucket, field, struct.pack(widths[width], day, ham, spam))
      end
    end
  end
end
redis.call('HINCRBY', numbers, 'tokens', made)
redis.call('HSET', numbers, 'done', ARGV[6])
return {'ok'}
`)

/** KEYS: numbers, lease, waiting. ARGV: …, rows of the batch: they wait no more. */
export const LEAVE = redisScript(`${GUARD}
local wrong = guard(ARGV[1], ARGV[2], ARGV[3])
if wrong then return wrong end
if redis.call('HGET', numbers, 'batch') ~= ARGV[4] then return {'lost'} end
redis.call('LTRIM', KEYS[3], ARGV[4], -1)
redis.call('HDEL', numbers, 'batch', 'done')
return {'ok'}
`)

/** KEYS: numbers, lease, buckets. ARGV: …, then for each bucket the tokens that go. */
export const REMOVE = redisScript(`${GUARD}
local wrong = guard(ARGV[1], ARGV[2], ARGV[3])
if wrong then return wrong end
local gone = 0
for at = 3, #KEYS do
  local fields = ARGV[at + 1]
  for from = 1, #fields, 5 do gone = gone + redis.call('HDEL', KEYS[at], string.sub(fields, from, from + 4)) end
end
redis.call('HINCRBY', numbers, 'tokens', -gone)
return {'ok', gone}
`)

/** KEYS: numbers, lease. Something changed without a lesson. */
export const CHANGED = redisScript(`${GUARD}
local wrong = guard(ARGV[1], ARGV[2], ARGV[3])
if wrong then return wrong end
redis.call('HINCRBY', numbers, 'revision', 1)
return {'ok'}
`)

/** KEYS: numbers, lease, message buckets. ARGV: …, first day that stays. */
export const DROP_MESSAGES = redisScript(`${GUARD}
local wrong = guard(ARGV[1], ARGV[2], ARGV[3])
if wrong then return wrong end
local first = tonumber(ARGV[4])
for at = 3, #KEYS do
  local found = redis.call('HGETALL', KEYS[at])
  for i = 1, #found, 2 do
    if #found[i + 1] < 3 or struct.unpack('<I2', found[i + 1], 2) < first then redis.call('HDEL', KEYS[at], found[i]) end
  end
end
return {'ok'}
`)

/** KEYS: numbers, lease, kept, days of a class. ARGV: …, first day that stays, how many stay. Replies how many went; 64 at most. */
export const DROP_KEPT = redisScript(`${GUARD}
local wrong = guard(ARGV[1], ARGV[2], ARGV[3])
if wrong then return wrong end
local gone = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', '(' .. ARGV[4], 'LIMIT', 0, 64)
local surplus = redis.call('ZCARD', KEYS[4]) - tonumber(ARGV[5])
if #gone == 0 and surplus > 0 then gone = redis.call('ZRANGE', KEYS[4], 0, math.min(64, surplus) - 1) end
for _, key in ipairs(gone) do
  redis.call('HDEL', KEYS[3], key)
  redis.call('ZREM', KEYS[4], key)
end
return {'ok', #gone}
`)

/* --- reading --- */

/** KEYS: numbers, buckets. ARGV: shape. One string: of each bucket the number of its tokens (32 bits), then of each the rest of its number, the length of its value, the value. What is no token is left out. */
export const DUMP = redisScript(`${GUARD}
local wrong = guard(ARGV[1])
if wrong then return wrong end
local out = {}
for at = 2, #KEYS do
  local found = redis.call('HGETALL', KEYS[at])
  local place, count = #out + 1, 0
  out[place] = ''
  for i = 1, #found, 2 do
    local width = #found[i + 1]
    if #found[i] == 5 and (width == 4 or width == 6 or width == 10) then
      out[#out + 1] = found[i] .. string.char(width) .. found[i + 1]
      count = count + 1
    end
  end
  out[place] = struct.pack('<I4', count)
end
return {'ok', table.concat(out)}
`)

/** KEYS: numbers, days of a class. ARGV: shape, cursor. Replies the next cursor; keys and days in turn. */
export const KEPT_KEYS = redisScript(`${GUARD}
local wrong = guard(ARGV[1])
if wrong then return wrong end
local found = redis.call('ZSCAN', KEYS[2], ARGV[2], 'COUNT', 512)
return {'ok', found[1], found[2]}
`)

/** KEYS: numbers, kept. ARGV: shape, keys of messages. */
export const KEPT = redisScript(`${GUARD}
local wrong = guard(ARGV[1])
if wrong then return wrong end
return {'ok', redis.call('HMGET', KEYS[2], unpack(ARGV, 2))}
`)
