import Postgres
import Reactor
import Synchronization
import Testing

/// Locks that a transaction on a thread of its own holds until they are released.
final class Hold: Sendable {
  private let isHeld = Atomic<Bool>(false)
  private let isOver = Atomic<Bool>(false)
  private let thread = Mutex<SystemThread?>(nil)

  fileprivate init(_ server: LiveServer, _ statement: String) throws {
    let thread = try SystemThread(name: "hold") { [self] in
      try? server.withDatabase { database in
        try await database.transaction(timeoutMilliseconds: 120_000) { transaction in
          try await transaction.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
          try await transaction.execute("\(unescaped: statement)")
          self.isHeld.store(true, ordering: .releasing)
          while !self.isOver.load(ordering: .acquiring) { await database.loop.sleep(nanoseconds: 5_000_000) }
        }
      }
    }
    self.thread.withLock { $0 = thread }
    guard holds({ isHeld.load(ordering: .acquiring) }) else {
      release()
      throw NotHeld(statement: statement)
    }
  }

  /// Ends the transaction and waits until it has ended; does nothing if it was ended before.
  func release() {
    isOver.store(true, ordering: .releasing)
    let thread = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    thread?.join()
  }

  struct NotHeld: Error {
    let statement: String
  }
}

extension LiveServer {
  /// Runs `statement` in a transaction that keeps its locks until the result is released.
  func hold(_ statement: String) throws -> Hold { try Hold(self, statement) }

  /// Locks the tables `names` until the result is released; not even reads pass meanwhile.
  func holdTable(_ names: String) throws -> Hold { try hold("LOCK TABLE \(names) IN ACCESS EXCLUSIVE MODE") }
}
