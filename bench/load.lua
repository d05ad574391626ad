-- load.lua -- what wrk asks the service; load.py says which case and how many users
--
--     wrk -t1 -c16 -d8 -s load.lua http://127.0.0.1:PORT -- CASE N_USERS LOT [PAUSE]
--
-- Each connection waits up to PAUSE milliseconds before a request; without it none does.
-- Prints one line of JSON at the end: requests, failures, seconds, and latencies in milliseconds.

local case, n_users, n_items, many = "constant", 100000, 50000, 100
local json = { ["Content-Type"] = "application/json" }
local filter = 'category = \\"c3\\" or category = \\"c4\\"'

local function random(more)
  return wrk.format("POST", "/v1/recommend", json,
    '{"user_id":"u' .. math.random(1, n_users) .. '","n":10' .. more .. "}")
end

local function event()
  return string.format('{"user_id":"u%d","item_id":"i%d","event":"click"}', math.random(1, n_users), math.random(1, n_items))
end

local function events()
  local list = {}
  for j = 1, many do list[j] = event() end
  return '{"events":[' .. table.concat(list, ",") .. "]}"
end

local cases = {
  constant = function() return wrk.format("GET", "/v1/health/live") end,
  cached = function() return wrk.format("GET", "/v1/recommend/u7?n=10") end,
  random = function() return random("") end,
  filtered = function() return random(',"filter":"' .. filter .. '"') end,
  single = function() return wrk.format("POST", "/v1/events", json, event()) end,
  bulk = function() return wrk.format("POST", "/v1/events/bulk", json, events()) end,
}
cases.steady = cases.filtered

function init(args)
  case, n_users = args[1], tonumber(args[2])
  math.randomseed(tonumber(args[3]))
  request = cases[case]
  local pause = tonumber(args[4])
  if pause then delay = function() return math.random(0, pause) end end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"failures":%d,"seconds":%.6f,"p50":%.3f,"p99":%.3f,"p999":%.3f,"max":%.3f}\n',
    summary.requests, e.connect + e.read + e.write + e.status + e.timeout, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3, latency.max / 1e3))
end
