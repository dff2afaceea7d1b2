import Reactor

/// A call that is decided on later.
final class Relay {
  var action: () -> Void = {}
}

extension LoopBound<Relay> {
  /// The call, from any thread.
  var call: @Sendable () -> Void { { submit { $0.action() } } }
}
