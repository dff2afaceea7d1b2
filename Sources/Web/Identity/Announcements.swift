import Reactor
import Redis
import Values

/// What the loops of all replicas tell each other through Redis: that a session or a token has ended, or that a device
/// or its keys have changed.
///
/// A hint only: it may be lost, and what loops remember expires soon after.
enum Announcements {
  /// What has ended or changed. The raw value is the first word of an announcement, which ids follow.
  enum Subject: String {
    case session, device, token
  }

  /// The most ids of one announcement. Each loop looks through all keys that it remembers for each announcement of
  /// devices, so that a garden's thousands share a few. Sessions and tokens are announced one by one: the previous
  /// release, beside which this one may run, hears only of announcements with one id.
  private static func maximumIDs(_ subject: Subject) -> Int { subject == .device ? 500 : 1 }

  private static func channel(_ prefix: String) -> String { "\(prefix)announcements" }

  /// Returns the commands that announce `subject` of ids.
  static func commands(_ subject: Subject, _ ids: [Identifier], prefix: String) -> [[RedisArgument]] {
    let maximum = maximumIDs(subject)
    return stride(from: 0, to: ids.count, by: maximum).map { start in
      let some = ids[start..<min(start + maximum, ids.count)]
      let text = some.reduce(into: subject.rawValue) { $0 += " \($1)" }
      return ["PUBLISH", .text(channel(prefix)), .text(text)]
    }
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
      guard let subject = words.first.flatMap({ Subject(rawValue: String($0)) }) else { return }
      let ids = Set(words.dropFirst().compactMap { Identifier($0) })
      switch subject {
      case .session: for id in ids { sessions.forget(id) }
      case .device: keys.forget(ids)
      case .token: tokens.forget(ids)
      }
    }
  }
}
