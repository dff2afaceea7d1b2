/// A change of tracked keys.
package enum KeyChange {
  case key([UInt8])
  /// Any tracked key may have changed: all were deleted, or a message may have been missed.
  case any
}

/// Receives every change of the keys with some prefixes (CLIENT TRACKING in broadcasting mode, Redis 6 and later).
///
/// The connection redirects the messages to itself before it subscribes to anything: RESP2 carries them as messages of
/// a channel. They end with the connection, so there is no second one whose loss could go unnoticed.
final class KeyTracking {
  static let channel = "__redis__:invalidate"

  private let prefixes: [String]
  private let receive: (KeyChange) -> Void
  private var arguments = ArgumentBuffer()

  init(prefixes: [String], _ receive: @escaping (KeyChange) -> Void) {
    self.prefixes = prefixes
    self.receive = receive
  }

  /// Turns tracking on for a link and calls `done` with whether Redis agreed; does not call it if the link is lost
  /// meanwhile.
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

  /// Reports that messages may have been missed.
  func missed() { receive(.any) }
}
