/** A script for `wrk` that PUTs 1 KiB, another one each time, at a thousand names. */
export const putScript = `
local count = 0
local rest = string.rep("x", 1012)
request = function()
  count = count + 1
  local body = string.format("%012d", count) .. rest
  return wrk.format("PUT", "/put-" .. count % 1000, nil, body)
end
`;
