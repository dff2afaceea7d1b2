import Redis
import Values

/// How events are kept and told: a stream for each garden, from which clients resume, and a channel that carries the
/// same events as text.
enum EventScripts {
  /// How many events a stream keeps, about.
  static let maximumEvents: Int64 = 1_000
  /// How long a stream is kept after its last event, in milliseconds.
  static let lifetimeMilliseconds: Int64 = 5 * 60_000

  /// Keys: for each garden the mark that it is watched, and its stream. Arguments: the bounds above, then for each
  /// garden its channel, the number of events, and for each its name and data.
  ///
  /// All events of a call are one message, so that a reader of the stream sees all of them or none.
  static let publish = RedisScript(
    """
    local at = 3
    for key = 1, #KEYS, 2 do
      local channel, n = ARGV[at], tonumber(ARGV[at + 1])
      if redis.call('EXISTS', KEYS[key]) == 1 then
        local text, id = {}, ''
        for event = at + 2, at + 2 * n, 2 do
          local name, data = ARGV[event], ARGV[event + 1]
          id = redis.call('XADD', KEYS[key + 1], 'MAXLEN', '~', ARGV[1], '*', 'event', name, 'data', data)
          text[#text + 1] = 'id: ' .. id .. '\\nevent: ' .. name .. '\\ndata: ' .. data .. '\\n\\n'
        end
        redis.call('PEXPIRE', KEYS[key + 1], ARGV[2])
        redis.call('PUBLISH', channel, id .. '\\n' .. table.concat(text))
      end
      at = at + 2 + 2 * n
    end
    return 0
    """)
}

/// The names of what Redis keeps of a garden's events.
struct EventKeys {
  let prefix: String

  /// Where events are told. A message that is `check` says that somebody may have lost access.
  func channel(_ garden: Identifier) -> String { "\(prefix)events:\(garden)" }

  /// Where events are kept.
  func stream(_ garden: Identifier) -> String { "\(prefix)events:\(garden):stream" }

  /// The mark that somebody watches, or did lately: without it nothing is kept or told.
  func watched(_ garden: Identifier) -> String { "\(prefix)events:\(garden):watched" }
}
