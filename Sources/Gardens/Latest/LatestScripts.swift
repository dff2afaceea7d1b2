import Redis

/// The scripts for the newest readings of gardens: a hash for each garden, with a field for each series, in which
/// `MILLISECONDS VALUE` stands.
///
/// A hash exists for its lifetime from the first question on, or from the commit of a late reading, which SQL may not
/// find for a while. With the field `whole` it has every series; without it, only those committed since it was made.
enum LatestScripts {
  /// Sets n fields, given as field, time and value from ARGV[first] on, each unless it has that time already or a later
  /// one.
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
  /// Makes the name of a hash from a beginning, the epoch and the generation.
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

  /// Keys: epoch, generation, beginning of the hash's name. Arguments: lifetime, commit mark. Returns the name, and the
  /// fields if the hash is whole; if not, makes the hash, so that no commit is missed while SQL is asked. Null when
  /// there is no epoch of that mark.
  static let read = RedisScript(
    naming + """
      if string.sub(redis.call('GET', KEYS[1]) or '', 1, 8) ~= ARGV[2] then return false end
      local hash = named(KEYS[3], KEYS[2])
      if redis.call('HEXISTS', hash, 'whole') == 1 then return {hash, redis.call('HGETALL', hash)} end
      redis.call('HSET', hash, 'wanted', '1')
      redis.call('PEXPIRE', hash, ARGV[1])
      return {hash}
      """)

  /// Key: the hash's name as `read` returned it. Arguments: lifetime, number of fields, fields. Returns all fields;
  /// null when the hash is gone, since commits may have passed it by.
  static let fill = RedisScript(
    merging + """
      if redis.call('EXISTS', KEYS[1]) == 0 then return false end
      merge(KEYS[1], 3, tonumber(ARGV[2]))
      redis.call('HSET', KEYS[1], 'whole', '1')
      redis.call('PEXPIRE', KEYS[1], ARGV[1])
      return redis.call('HGETALL', KEYS[1])
      """)

  /// Keys: epoch, then for each garden its generation and the beginning of the hash's name. Returns the places, from 1,
  /// of the gardens whose hashes exist.
  static let wanted = RedisScript(
    naming + """
      local places = {}
      for key = 2, #KEYS, 2 do
        if redis.call('EXISTS', named(KEYS[key + 1], KEYS[key])) == 1 then places[#places + 1] = key / 2 end
      end
      return places
      """)

  /// Keys: those of `wanted`. Arguments: for each garden the lifetime of a hash that is made where there is none, or 0
  /// to make none, then the number of fields and the fields.
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
