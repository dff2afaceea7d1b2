/// A task that is suspended until something on its loop resumes it, exactly once (invariant 5).
///
/// In debug builds the runtime checks that: it stops the process when a task is resumed twice, and reports one that
/// never was. In release builds nothing is checked, since a check costs an allocation for each wait.
#if DEBUG
  @usableFromInline package typealias LoopContinuation<Value> = CheckedContinuation<Value, Never>
#else
  @usableFromInline package typealias LoopContinuation<Value> = UnsafeContinuation<Value, Never>
#endif

/// Suspends the calling task and passes the continuation that resumes it to `body`, which is called at once.
@inlinable
package func withLoopContinuation<Value>(_ body: (LoopContinuation<Value>) -> Void) async -> sending Value {
  #if DEBUG
    await withCheckedContinuation(body)
  #else
    await withUnsafeContinuation(body)
  #endif
}
