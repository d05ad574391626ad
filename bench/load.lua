-- load.lua -- what wrk asks the service; load.py says which case and how many users
--
--     wrk -t1 -c16 -d8 -s load.lua http://127.0.0.1:PORT -- CASE N_USERS
--
-- Prints one line of JSON at the end: requests, failures, seconds, and latencies in milliseconds.

local case, n_users = "constant", 100000
local json = { ["Content-Type"] = "application/json" }
local filter = 'category = \\"c3\\" or category = \\"c4\\"'

local function random(more)
  return wrk.format("POST", "/v1/recommend", json,
    '{"user_id":"u' .. math.random(1, n_users) .. '","n":10' .. more .. "}")
end

local cases = {
  constant = function() return wrk.format("GET", "/v1/health/live") end,
  cached = function() return wrk.format("GET", "/v1/recommend/u7?n=10") end,
  random = function() return random("") end,
  filtered = function() return random(',"filter":"' .. filter .. '"') end,
}

function init(args)
  case, n_users = args[1], tonumber(args[2])
  math.randomseed(tonumber(args[3]))
  request = cases[case]
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"failures":%d,"seconds":%.6f,"p50":%.3f,"p99":%.3f,"p999":%.3f,"max":%.3f}\n',
    summary.requests, e.connect + e.read + e.write + e.status + e.timeout, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3, latency.max / 1e3))
end
