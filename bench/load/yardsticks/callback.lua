-- Callbacks of a live stream's start, for wrk: each signed, none like another, so that nothing that
-- recognises repeats has it easy. What is the same in all is put together once.
--
--   wrk ... -s callback.lua URL -- BODY_BYTES T SIGN
--
-- T is the expiry in seconds since 1970 and SIGN its signature, MD5(key + T) in hexadecimal. Prints
-- one line of JSON at the end: answers, failures among them, and the latency's percentiles in us.

local threads = 0

-- In wrk's own state: each thread is given its number, so that no two count the same.
function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

local head, tail, count

function init(args)
  local bytes, t, sign = tonumber(args[1]), args[2], args[3]
  local run = string.format("%d%06d", os.time(), math.floor(os.clock() * 1e6) % 1000000)
  head = '{"app":"push-0.livepush.example","appid":1250000000,"appname":"live",' ..
    '"channel_id":"stream_' .. number .. '","errcode":0,"errmsg":"ok","event_time":' .. os.time() ..
    ',"event_type":1,"height":720,"idc_id":34,"node":"198.51.100.7","set_id":2,"width":1280,' ..
    '"user_ip":"203.0.113.9","sequence":"' .. number .. run
  tail = '","t":' .. t .. ',"sign":"' .. sign .. '"}'
  local stream = '","stream_id":"stream_000'
  local padding = bytes - #head - #tail - #stream - 8 - #'","stream_param":"'
  tail = '","stream_param":"' .. string.rep("p", math.max(0, padding)) .. tail
  count = 0
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  count = count + 1
  return wrk.format(nil, nil, nil,
    head .. count .. '","stream_id":"stream_' .. count % 1000 .. tail)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"failed":%d,"duration_us":%d,"p50_us":%d,"p75_us":%d,"p90_us":%d,' ..
    '"p99_us":%d,"p999_us":%d,"max_us":%d}\n',
    summary.requests, errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration, latency:percentile(50), latency:percentile(75), latency:percentile(90),
    latency:percentile(99), latency:percentile(99.9), latency.max))
end
