import Reactor
import Redis
import Values

/// What loops of all replicas tell each other through Redis: that a session or a token has ended, or a device or its
/// keys have changed.
///
/// A hint only: it may be lost, and memories end by themselves soon after.
enum Announcements {
  static func channel(_ prefix: String) -> String { "\(prefix)announcements" }

  /// Listens for as long as the loop runs.
  static func follow(
    _ subscriber: RedisSubscriber, prefix: String, sessions: SessionDirectory, keys: DeviceKeys,
    tokens: PersonalTokens
  ) throws -> RedisSubscription {
    subscriber.onGap = {
      sessions.forgetAll()
      keys.forgetAll()
      tokens.forgetAll()
    }
    return try subscriber.subscribe(channel(prefix)) { message in
      let words = String(decoding: message, as: UTF8.self).split(separator: " ")
      guard words.count == 2, let id = Identifier(words[1]) else { return }
      switch words[0] {
      case "session": sessions.forget(id)
      case "device": keys.forget(id)
      case "token": tokens.forget(id)
      default: break
      }
    }
  }
}
