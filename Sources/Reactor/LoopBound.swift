/// A value that belongs to one loop, as other threads know it: they can have something done with it, there.
///
/// It may be passed to any thread, but the value is touched on its loop's thread alone.
/// Invariant 2.
package struct LoopBound<Value>: @unchecked Sendable {
  private let value: Value
  private let executor: LoopExecutor

  /// Binds a value to its loop; call it on the loop's thread.
  package init(_ value: Value, to loop: EventLoop) {
    loop.assertCurrent()
    self.value = value
    executor = loop.executor
  }

  /// Has the loop call `body` with the value, soon and in order.
  package func submit(_ body: @escaping @Sendable (Value) -> Void) {
    executor.submit { body(value) }
  }
}
