import Redis

/// What Redis does with the newest readings of gardens: hashes whose fields are series, `MILLISECONDS VALUE` in each.
///
/// A hash is there while somebody wants it: from the first question on, until its lifetime is over; or since something
/// was committed so late that SQL may not find it for a while. It is whole when it has the field `whole`; without it
/// there is only what was committed since it is there.
enum LatestScripts {
  /// Sets n fields, given as field, time and value from ARGV[first], where no later time stands already.
  private static let merging = """
    local function merge(hash, first, n)
      for at = first, first + 3 * n - 3, 3 do
        local known = redis.call('HGET', hash, ARGV[at])
        if not known or tonumber(string.match(known, '^-?%d+')) < tonumber(ARGV[at + 1]) then
          redis.call('HSET', hash, ARGV[at], ARGV[at + 1] .. ' ' .. ARGV[at + 2])
        end
      end
    end

    """
  /// The name of a hash.
  private static let naming = """
    local function text(key)
      local digits = string.gsub(redis.call('GET', key) or '', '.', function(byte)
        return string.format('%02x', string.byte(byte))
      end)
      return digits
    end
    local epoch = text(KEYS[1])
    local function named(base, generation)
      return base .. epoch .. ':' .. text(generation)
    end

    """

  /// Keys: epoch, generation, beginning of the hash's name. Arguments: lifetime, mark of commits. Gives the name, and
  /// the fields if the hash is whole; if not, the hash is there from now on, so that no commit is missed while SQL is
  /// asked. Null when there is no epoch of that mark.
  static let read = RedisScript(
    naming + """
      if string.sub(redis.call('GET', KEYS[1]) or '', 1, 8) ~= ARGV[2] then return false end
      local hash = named(KEYS[3], KEYS[2])
      if redis.call('HEXISTS', hash, 'whole') == 1 then return {hash, redis.call('HGETALL', hash)} end
      redis.call('HSET', hash, 'wanted', '1')
      redis.call('PEXPIRE', hash, ARGV[1])
      return {hash}
      """)

  /// Key: the hash's name as `read` gave it. Arguments: lifetime, number of fields, fields. Gives all fields; null when
  /// the hash is gone, since commits may have passed it by.
  static let fill = RedisScript(
    merging + """
      if redis.call('EXISTS', KEYS[1]) == 0 then return false end
      merge(KEYS[1], 3, tonumber(ARGV[2]))
      redis.call('HSET', KEYS[1], 'whole', '1')
      redis.call('PEXPIRE', KEYS[1], ARGV[1])
      return redis.call('HGETALL', KEYS[1])
      """)

  /// Keys: epoch, then for each garden its generation and the beginning of the hash's name. Gives the places of those
  /// gardens, from 1, whose hashes are there.
  static let wanted = RedisScript(
    naming + """
      local places = {}
      for key = 2, #KEYS, 2 do
        if redis.call('EXISTS', named(KEYS[key + 1], KEYS[key])) == 1 then places[#places + 1] = key / 2 end
      end
      return places
      """)

  /// Keys: as of `wanted`. Arguments: for each garden the lifetime of a hash that is made for this, 0 to make none,
  /// then the number of fields and the fields.
  static let merge = RedisScript(
    naming + merging + """
      if epoch == '' then return 0 end
      local at = 1
      for key = 2, #KEYS, 2 do
        local hash = named(KEYS[key + 1], KEYS[key])
        local lifetime = tonumber(ARGV[at])
        local n = tonumber(ARGV[at + 1])
        local missing = redis.call('EXISTS', hash) == 0
        if lifetime > 0 or not missing then merge(hash, at + 2, n) end
        if lifetime > 0 and missing then redis.call('PEXPIRE', hash, lifetime) end
        at = at + 2 + 3 * n
      end
      return 0
      """)
}
