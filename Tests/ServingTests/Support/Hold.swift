import Postgres
import Reactor
import Synchronization
import Testing

/// What a transaction on a thread of its own has locked, until it is released.
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

  /// Ends the transaction, if nobody has before, and waits for that.
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
  /// Has a transaction of its own do that, and keep what it locks until it is released.
  func hold(_ statement: String) throws -> Hold { try Hold(self, statement) }

  /// The same with a whole table, which not even readers see meanwhile.
  func holdTable(_ names: String) throws -> Hold { try hold("LOCK TABLE \(names) IN ACCESS EXCLUSIVE MODE") }
}
