/// What Redis says of keys that are tracked.
package enum KeyChange {
  case key([UInt8])
  /// Any of them: all were taken away, or a message may have been missed.
  case any
}

/// Has Redis tell of each change of keys with some prefixes (CLIENT TRACKING in broadcasting mode, Redis 6 and later).
///
/// The connection has the messages redirected to itself, before it subscribes to anything: RESP2 carries them as those
/// of a channel, and they end with the connection, so that there is no second one whose loss could go unnoticed.
final class KeyTracking {
  static let channel = "__redis__:invalidate"

  private let prefixes: [String]
  private let receive: (KeyChange) -> Void
  private var arguments = ArgumentBuffer()

  init(prefixes: [String], _ receive: @escaping (KeyChange) -> Void) {
    self.prefixes = prefixes
    self.receive = receive
  }

  /// Turns it on for a link, and says whether Redis does it; is not called back when the link is lost meanwhile.
  func begin(on link: RedisLink, _ done: @escaping (_ isOn: Bool) -> Void) {
    send(["CLIENT", "ID"], link) { [self, unowned link] reply in
      guard let reply else { return }
      guard let id = reply.integer else { return done(false) }
      let what: [RedisArgument] = prefixes.flatMap { ["PREFIX", .text($0)] }
      send(["CLIENT", "TRACKING", "ON", "REDIRECT", .integer(id), "BCAST"] + what, link) { reply in
        if let reply { done(reply.text == "OK") }
      }
    }
  }

  private func send(_ command: [RedisArgument], _ link: RedisLink, _ answered: @escaping (RedisReply?) -> Void) {
    arguments.fill(command)
    _ = link.send(&arguments, LinkCall(answered))
  }

  /// Passes on a message: the keys that have changed, or null when the whole database was emptied.
  func received(_ message: RedisReply) {
    guard let keys = message.array else { return receive(.any) }
    for key in keys { if let bytes = key.bytes { receive(.key(bytes)) } }
  }

  /// Says that messages may have been missed.
  func missed() { receive(.any) }
}
