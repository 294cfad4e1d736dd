"""What the server does in one step: Lua scripts (https://valkey.io/topics/eval-intro/)."""

from typing import Final

# Whether a header belongs to the stream's present history.
_STANDS = """
local function before(a, b)
  local am, as = string.match(a, '^(%d+)-(%d+)$')
  local bm, bs = string.match(b, '^(%d+)-(%d+)$')
  if am ~= bm then
    return #am < #bm or (#am == #bm and am < bm)
  end
  return #as < #bs or (#as == #bs and as < bs)
end
local facts = {}
if redis.call('EXISTS', KEYS[1]) == 1 then
  local reply = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #reply, 2 do facts[reply[i]] = reply[i + 1] end
end
local function anchor_at(id)
  local found = redis.call('XRANGE', KEYS[1], id, id)
  if #found == 0 then return nil end
  local parts = {#found[1][1] .. ':' .. found[1][1]}
  for _, part in ipairs(found[1][2]) do parts[#parts + 1] = #part .. ':' .. part end
  return redis.sha1hex(table.concat(parts))
end
local function stands(header, foreign)
  local id = header.last_event_id
  if not facts['last-generated-id'] or before(facts['last-generated-id'], id) then return false end
  if facts['entries-added'] and facts['entries-added'] < header.ordinal + header.unseen then return false end
  local anchor = anchor_at(id)
  if anchor then return anchor == header.anchor end
  -- Where counts would do, one of another history could come to look like one of this.
  if foreign then return false end
  local first = facts['first-entry']
  if first and not before(id, first[1]) then
    return not (facts['max-deleted-entry-id'] and before(facts['max-deleted-entry-id'], id))
  end
  -- Trimmed past it: then all that is there was added after it.
  return not facts['entries-added'] or facts['entries-added'] >= header.ordinal + header.unseen + facts['length']
end
"""

# KEYS: stream, index, ids of those of another history, chunks of the new one, pinned ones. ARGV: prefix of chunk
# keys, id, header, how many chunks, how many to keep, bytes of the checksum before a header; then ids of those that
# cannot be used.
COMMIT: Final = (
    _STANDS
    + """
local skip = tonumber(ARGV[6])
local function parse(raw)
  local ok, header = pcall(cjson.decode, string.sub(raw, skip + 1))
  if ok and type(header) == 'table' and type(header.ordinal) == 'number' and type(header.unseen) == 'number'
     and type(header.domain) == 'string' and type(header.version) == 'string'
     and type(header.last_event_id) == 'string' and string.match(header.last_event_id, '^%d+-%d+$') then
    return header
  end
  return nil
end
local new = parse(ARGV[3])
if redis.call('HLEN', KEYS[4]) ~= tonumber(ARGV[4]) then return 'incomplete' end
if not stands(new) then return 'foreign' end
local pinned = {}
for i, id in ipairs(redis.call('HGETALL', KEYS[5])) do
  if i % 2 == 1 then pinned[id] = true end
end
local unusable = {}
for i = 7, #ARGV do unusable[ARGV[i]] = true end
local function seen(header) return header.ordinal + header.unseen end
local function unseen(header) return math.max(0, header.unseen) end
local kept = {{new, ARGV[2]}}
local foreign = {}
local dropped = {}
local all = redis.call('HGETALL', KEYS[2])
for i = 1, #all, 2 do
  local id, header = all[i], parse(all[i + 1])
  if not header then
    -- It tells that something was seen, until a state has seen as much, or a person has agreed to lose it.
    if unseen(new) == 0 or (new.confirmed or 0) > 0 then dropped[#dropped + 1] = id end
  elseif header.domain == new.domain and header.version == new.version then
    if stands(header, redis.call('SISMEMBER', KEYS[3], id) == 1) then
      redis.call('SREM', KEYS[3], id)
      if not unusable[id] then
        if unseen(header) < unseen(new) then return 'fuller ' .. id end
        -- A state that saw more of this history is not replaced.
        if unseen(header) == unseen(new) and seen(header) > seen(new) then return 'older' end
      end
      if not pinned[id] then kept[#kept + 1] = {header, id} end
    else
      redis.call('SADD', KEYS[3], id)
      foreign[#foreign + 1] = {header, id}
    end
  end
end
table.sort(kept, function(a, b)
  if (unusable[a[2]] or false) ~= (unusable[b[2]] or false) then return unusable[b[2]] or false end
  if unseen(a[1]) ~= unseen(b[1]) then return unseen(a[1]) < unseen(b[1]) end
  if seen(a[1]) ~= seen(b[1]) then return seen(a[1]) > seen(b[1]) end
  return a[2] == ARGV[2] and b[2] ~= ARGV[2]
end)
table.sort(foreign, function(a, b) return (a[1].created_ms or 0) > (b[1].created_ms or 0) end)
-- Where there are too many, several of one place go before the oldest place does.
for i = #kept, 2, -1 do
  if #kept > tonumber(ARGV[5]) and seen(kept[i][1]) == seen(kept[i - 1][1]) then
    dropped[#dropped + 1] = table.remove(kept, i)[2]
  end
end
for i = tonumber(ARGV[5]) + 1, #kept do dropped[#dropped + 1] = kept[i][2] end
for i = tonumber(ARGV[5]) + 1, #foreign do dropped[#dropped + 1] = foreign[i][2] end
redis.call('PERSIST', KEYS[4])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
for _, id in ipairs(dropped) do
  redis.call('HDEL', KEYS[2], id)
  redis.call('SREM', KEYS[3], id)
  redis.call('HDEL', KEYS[5], id)
  redis.call('UNLINK', ARGV[1] .. id)
end
return 'ok'
"""
)

# KEYS: stream, index, pinned ones. ARGV: the least id that stays, a snapshot of what goes, the id of its entry, its
# anchor, why it is pinned from then on; then ids of those whose place it takes. It is pinned last: a server that is
# full lets a script write what needs room only when it has removed something.
TRIM: Final = (
    _STANDS
    + """
local there = false
for i, id in ipairs(redis.call('HGETALL', KEYS[2])) do
  there = there or (i % 2 == 1 and id == ARGV[2])
end
if not there then return 'snapshot' end
local anchor = anchor_at(ARGV[3])
if not facts['first-entry'] or before(ARGV[3], ARGV[1]) or (anchor and anchor ~= ARGV[4]) then return 'changed' end
if before(facts['last-generated-id'], ARGV[3]) then return 'changed' end
local first = facts['first-entry'][1]
for _, reply in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = {}
  for i = 1, #reply, 2 do group[reply[i]] = reply[i + 1] end
  local delivered = group['last-delivered-id']
  -- What comes behind what was delivered is needed, and what was delivered and is not acknowledged.
  if #redis.call('XRANGE', KEYS[1], '(' .. delivered, '(' .. ARGV[1], 'COUNT', 1) > 0
     or #redis.call('XPENDING', KEYS[1], group['name'], first, '(' .. ARGV[1], 1) > 0 then
    return 'group ' .. group['name']
  end
end
local removed = redis.call('XTRIM', KEYS[1], 'MINID', '=', ARGV[1])
if removed > 0 then
  redis.call('HSET', KEYS[3], ARGV[2], ARGV[5])
  for i = 6, #ARGV do redis.call('HDEL', KEYS[3], ARGV[i]) end
end
return tostring(removed)
"""
)

RENEW: Final = """
local owner = redis.call('GET', KEYS[1])
if not owner or owner == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return ARGV[1]
end
return owner
"""

RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""

# KEYS: stream, what was gathered. ARGV: how many entries that are, the newest id ever given, entries ever added (empty:
# not known), the newest id that was deleted. A server before 7.0 keeps neither of the last two.
FILL: Final = """
local function members(reply)
  local found = {}
  for i = 1, #reply, 2 do found[reply[i]] = reply[i + 1] end
  return found
end
local groups = {}
if redis.call('EXISTS', KEYS[1]) == 1 then
  local facts = members(redis.call('XINFO', 'STREAM', KEYS[1]))
  if facts['length'] > 0 or facts['last-generated-id'] ~= '0-0' then return 'used' end
  groups = redis.call('XINFO', 'GROUPS', KEYS[1])
end
if redis.call('XLEN', KEYS[2]) ~= tonumber(ARGV[1]) then return 'incomplete' end
if ARGV[1] == '0' then
  redis.call('XADD', KEYS[2], ARGV[2], '', '')
  redis.call('XTRIM', KEYS[2], 'MAXLEN', 0)
end
local answer = 'ok'
local counted = {'XSETID', KEYS[2], ARGV[2]}
if ARGV[3] ~= '' then counted[4], counted[5] = 'ENTRIESADDED', ARGV[3] end
if ARGV[4] ~= '0-0' then counted[#counted + 1], counted[#counted + 2] = 'MAXDELETEDID', ARGV[4] end
if redis.pcall(unpack(counted)).err then
  redis.call('XSETID', KEYS[2], ARGV[2])
  answer = 'uncounted'
end
for _, group in ipairs(groups) do
  redis.call('XGROUP', 'CREATE', KEYS[2], members(group)['name'], '0')
end
redis.call('PERSIST', KEYS[2])
redis.call('RENAME', KEYS[2], KEYS[1])
return answer
"""

# KEYS: stream. ARGV: the id that is to be the last one, then for each entry how many fields follow, and these.
APPEND_AFTER: Final = """
local last = '0-0'
if redis.call('EXISTS', KEYS[1]) == 1 then
  local reply = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #reply, 2 do
    if reply[i] == 'last-generated-id' then last = reply[i + 1] end
  end
end
if last ~= ARGV[1] then return {} end
local ids, i = {}, 2
while i <= #ARGV do
  local count = tonumber(ARGV[i])
  ids[#ids + 1] = redis.call('XADD', KEYS[1], '*', unpack(ARGV, i + 1, i + count))
  i = i + count + 1
end
return ids
"""
