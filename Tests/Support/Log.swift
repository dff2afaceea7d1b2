import Synchronization

/// Lines noted by any thread, in order.
package final class Log: Sendable {
  private let storage = Mutex<[String]>([])

  package init() {}

  package func note(_ line: String) { storage.withLock { $0.append(line) } }

  package var lines: [String] { storage.withLock { $0 } }
}
