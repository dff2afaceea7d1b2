import Reactor
import Redis
import Values

/// What the loops of all replicas tell each other through Redis: that a session or a token has ended, or that a device
/// or its keys have changed.
///
/// A hint only: it may be lost, and what loops remember expires soon after.
enum Announcements {
  /// What has ended or changed. The raw value is the first word of an announcement.
  enum Subject: String {
    case session, device, token
  }

  private static func channel(_ prefix: String) -> String { "\(prefix)announcements" }

  /// Returns the commands that announce `subject` of each id.
  static func commands(_ subject: Subject, _ ids: [Identifier], prefix: String) -> [[RedisArgument]] {
    ids.map { ["PUBLISH", .text(channel(prefix)), .text("\(subject.rawValue) \($0)")] }
  }

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
      guard words.count == 2, let id = Identifier(words[1]), let subject = Subject(rawValue: String(words[0])) else {
        return
      }
      switch subject {
      case .session: sessions.forget(id)
      case .device: keys.forget(id)
      case .token: tokens.forget(id)
      }
    }
  }
}
