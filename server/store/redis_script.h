// All that the store does in Redis, as one script: Redis runs it whole or not at all, so
// incarnation and epoch are checked in the same instant as the entry is read or written.
#ifndef HANDFAST_SERVER_STORE_REDIS_SCRIPT_H_
#define HANDFAST_SERVER_STORE_REDIS_SCRIPT_H_

#include <string_view>

namespace handfast::store {

// KEYS: the incarnation, the epoch, the entry, the caller's mark. ARGV: what to do, then
//   open    a fresh incarnation, taken where there is none  -> is
//   renew   the incarnation to end, a fresh one             -> is
//   get pop the incarnation, the least epoch, the least mark, the largest size
//           -> found, absent, long
//   put     ..., the sealed value, milliseconds             -> done, exists
//   swap    ..., the sealed value, milliseconds, the generation expected -> done, absent, other
// Any but open and renew: replaced (another incarnation), behind (epoch or mark below the least).
// The epoch grows with each write: a snapshot that is put back shows an older one. The mark is the
// epoch of the caller's own last write, which nobody else's writes can bring back. It is kept for
// eight days, a day longer than any entry, and than the caller asks for it.
inline constexpr std::string_view kRedisScript = R"lua(
local incarnation = redis.call('GET', KEYS[1])
local epoch = tonumber(redis.call('GET', KEYS[2]) or '0')
local what = ARGV[1]
if what == 'open' then
  if not incarnation then
    redis.call('SET', KEYS[1], ARGV[2], 'NX')
    incarnation = ARGV[2]
  end
  return {'is', epoch, incarnation}
end
if what == 'renew' then
  if incarnation == ARGV[2] then
    redis.call('SET', KEYS[1], ARGV[3])
    incarnation = ARGV[3]
    epoch = redis.call('INCR', KEYS[2])
  end
  return {'is', epoch, incarnation or ''}
end
if incarnation ~= ARGV[2] then return {'replaced', epoch} end
local mark = tonumber(redis.call('GET', KEYS[4]) or '0')
if epoch < tonumber(ARGV[3]) or mark < tonumber(ARGV[4]) then return {'behind', epoch} end

local function count_write()
  epoch = redis.call('INCR', KEYS[2])
  redis.call('SET', KEYS[4], epoch, 'PX', 691200000)
end

local entry = redis.call('GET', KEYS[3])
if what == 'get' or what == 'pop' then
  if not entry then return {'absent', epoch} end
  if what == 'pop' then
    redis.call('DEL', KEYS[3])
    count_write()
  end
  if string.len(entry) > tonumber(ARGV[5]) then return {'long', epoch} end
  return {'found', epoch, entry}
end
if what == 'put' and entry then return {'exists', epoch} end
if what == 'swap' then
  if not entry then return {'absent', epoch} end
  local generation = string.sub(entry, 2, 9)
  if generation ~= ARGV[7] then return {'other', epoch, generation} end
end
redis.call('SET', KEYS[3], ARGV[5], 'PX', ARGV[6])
count_write()
return {'done', epoch}
)lua";

}  // namespace handfast::store

#endif  // HANDFAST_SERVER_STORE_REDIS_SCRIPT_H_
