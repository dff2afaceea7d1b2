import Redis

/// What Redis does with the newest readings of gardens: hashes whose fields are series, `MILLISECONDS VALUE` in each.
///
/// A hash is whole when it has the field `whole`; without it there is only what was committed lately.
enum LatestScripts {
  /// Sets n fields, given as field, time and value from ARGV[first], where no later time stands already.
  private static let function = """
    local function merge(hash, first, n)
      for at = first, first + 3 * n - 3, 3 do
        local known = redis.call('HGET', hash, ARGV[at])
        if not known or tonumber(string.match(known, '^-?%d+')) < tonumber(ARGV[at + 1]) then
          redis.call('HSET', hash, ARGV[at], ARGV[at + 1] .. ' ' .. ARGV[at + 2])
        end
      end
    end
    local function text(key)
      local digits = string.gsub(redis.call('GET', key) or '', '.', function(byte)
        return string.format('%02x', string.byte(byte))
      end)
      return digits
    end
    local function named(base, epoch, generation)
      return base .. text(epoch) .. ':' .. text(generation)
    end

    """

  /// Keys: epoch, generation, beginning of the hash's name. Argument: lifetime. Gives the name, and the fields if the
  /// hash is whole; if not, what is in it stays until it has been filled. Null when there is no epoch.
  static let read = RedisScript(
    function + """
      if redis.call('EXISTS', KEYS[1]) == 0 then return false end
      local hash = named(KEYS[3], KEYS[1], KEYS[2])
      if redis.call('HEXISTS', hash, 'whole') == 1 then return {hash, redis.call('HGETALL', hash)} end
      redis.call('PEXPIRE', hash, ARGV[1])
      return {hash}
      """)

  /// Key: the hash's name as `read` gave it. Arguments: lifetime, number of fields, fields. Gives all fields.
  static let fill = RedisScript(
    function + """
      merge(KEYS[1], 3, tonumber(ARGV[2]))
      redis.call('HSET', KEYS[1], 'whole', '1')
      redis.call('PEXPIRE', KEYS[1], ARGV[1])
      return redis.call('HGETALL', KEYS[1])
      """)

  /// Keys: epoch, then for each garden its generation and the beginning of the hash's name. Arguments: lifetime, then
  /// for each garden the number of fields and the fields.
  static let merge = RedisScript(
    function + """
      local at = 2
      for key = 2, #KEYS, 2 do
        local hash = named(KEYS[key + 1], KEYS[1], KEYS[key])
        local n = tonumber(ARGV[at])
        merge(hash, at + 1, n)
        if redis.call('PTTL', hash) < 0 then redis.call('PEXPIRE', hash, ARGV[1]) end
        at = at + 1 + 3 * n
      end
      return 0
      """)
}
