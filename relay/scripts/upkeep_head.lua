-- Third part of the head, for upkeep: the endpoints of the call must contain all that owe, because
-- an endpoint that is left out would make a count too low. ARGV[first - 1] is their number.
local function read_endpoints(first)
  local count = whole(ARGV[first - 1], 10000)
  if not count or not has_endpoint_keys(count) then return nil end
  local place = {}
  for x = 1, count do
    local endpoint = ARGV[first + x - 1]
    if not is_endpoint(endpoint) then return nil end
    place[endpoint] = x
  end
  local owing, missing = {}, {}
  for _, endpoint in ipairs(call('SMEMBERS', OWING)) do
    owing[endpoint] = true
    if not place[endpoint] then append(missing, endpoint) end
  end
  return {count = count, place = place, owing = owing, missing = missing}
end

-- In slices, because a list of any length must not be unpacked.
local function in_slices(list, width, act)
  for i = 1, #list, width do act(list, i, math.min(i + width - 1, #list)) end
end
local function has_stream(stream) return call('EXISTS', stream) == 1 end
local function field_of(flat, name)
  for i = 1, #flat, 2 do
    if flat[i] == name then return flat[i + 1] end
  end
end

-- What the pending entries list says: how many, how many of them stand in `ref`, how many have lost
-- their payload. Nil when there are more than one call may look at.
local PENDING_MAX = 10000
local function look_at_pending(stream, letter)
  local pending = call('XPENDING', stream, 'w', '-', '+', PENDING_MAX)
  if #pending == PENDING_MAX then return nil end
  local owed, gone = 0, 0
  for i = 1, #pending do
    local member = letter .. pending[i][1]
    if call('HEXISTS', REF, member) == 1 then owed = owed + 1 end
    if not payload_of(member) then gone = gone + 1 end
  end
  return #pending, owed, gone
end

-- The index entry that `endpoint` should have: its lowest due time, nil for none.
local function should_be_due(x, held)
  local first = call('ZRANGE', retries_key(x), 0, 0, 'WITHSCORES')
  if held == 0 and first[2] then return due_of(first[2]) end
end

