/// A reference to a value of one loop that other threads may hold: they submit to the loop what is to be done with it.
///
/// The reference may be passed to any thread; the value is touched on its loop's thread alone (invariant 2 of
/// ARCHITECTURE.md).
package struct LoopBound<Value>: @unchecked Sendable {
  private let value: Value
  private let executor: LoopExecutor

  /// Binds a value to its loop; call it on the loop's thread.
  package init(_ value: Value, to loop: EventLoop) {
    loop.assertCurrent()
    self.value = value
    executor = loop.executor
  }

  /// Submits `body` to the loop, which calls it with the value, soon and in order.
  package func submit(_ body: @escaping @Sendable (Value) -> Void) {
    executor.submit { body(value) }
  }
}
