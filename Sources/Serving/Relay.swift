import Reactor

/// A callback whose action is set later.
final class Relay {
  var action: () -> Void = {}
}

extension LoopBound<Relay> {
  /// The callback: may be called on any thread, and runs the action on the loop.
  var call: @Sendable () -> Void { { submit { $0.action() } } }
}
