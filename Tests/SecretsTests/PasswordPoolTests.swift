import Glibc
import Reactor
import Synchronization
import TestSupport
import Testing

@testable import Secrets

@Suite("A password pool")
struct PasswordPoolTests {
  private static let cheap = ScryptCost(logarithm: 10, blockSize: 8, parallelism: 1)!

  @Test("hashes and verifies passwords, and answers on the loop")
  func answers() throws {
    let pool = try PasswordPool(threads: 2, waiting: 8, cost: Self.cheap)
    let outcome = Mutex<[Bool]>([])
    try onLoop { loop in
      let hash = try? await pool.hash("correct horse")
      let right = try? await pool.verify("correct horse", against: hash)
      let wrong = try? await pool.verify("wrong horse", against: hash)
      let unknown = try? await pool.verify("", against: nil)
      outcome.withLock { $0 = [loop.executor.isCurrent, right == true, wrong == false, unknown == false] }
    }
    #expect(outcome.withLock { $0 } == [true, true, true, true])
    pool.stop()
  }

  @Test("refuses more than may run and wait, never blocks the loop, and refuses everything when stopped")
  func bounds() throws {
    let slow = try #require(ScryptCost(logarithm: 14, blockSize: 8, parallelism: 1))
    let pool = try PasswordPool(threads: 1, waiting: 3, cost: slow)
    let outcome = Mutex<(refused: Int, done: Int, turnedNanoseconds: Int)>((0, 0, 0))
    try onLoop { loop in
      let all = Pending<Void>()
      let before = Self.processorNanoseconds()
      for _ in 0..<20 {
        loop.spawn {
          do throws(PasswordPoolError) {
            _ = try await pool.hash("correct horse")
            outcome.withLock { $0.done += 1 }
          } catch {
            outcome.withLock { $0.refused += error == .overloaded ? 1 : 0 }
          }
          if outcome.withLock({ $0.done + $0.refused }) == 20 { all.complete(.success(())) }
        }
      }
      outcome.withLock { $0.turnedNanoseconds = Self.processorNanoseconds() - before }
      try? await all.value()
    }
    let (refused, done, turned) = outcome.withLock { $0 }
    // The first hash may or may not have left the queue before the last was asked for.
    #expect(done == 3 || done == 4)
    #expect(refused == 20 - done)
    // The processor time of the loop itself is less than that of one hash.
    #expect(turned < 20_000_000, "\(turned) ns")
    pool.stop()
    try onLoop { _ in
      await #expect(throws: PasswordPoolError.stopped) { try await pool.hash("correct horse") }
    }
  }

  @Test("keeps many registrations from delaying members or taking their places")
  func newcomers() throws {
    let slow = try #require(ScryptCost(logarithm: 14, blockSize: 8, parallelism: 1))
    let pool = try PasswordPool(threads: 1, waiting: 16, cost: slow)
    let order = Mutex<[String]>([])
    try onLoop { loop in
      let all = Pending<Void>()
      @Sendable func note(_ what: String) { order.withLock { $0.append(what) } }
      for _ in 0..<40 {
        loop.spawn {
          let hash = try? await pool.hash("correct horse", of: .newcomer)
          note(hash == nil ? "refused" : "newcomer")
        }
      }
      for index in 0..<8 {
        loop.spawn {
          let isRight = try? await pool.verify("correct horse", against: nil)
          note(isRight == nil ? "member refused" : "member")
          if index == 7 { all.complete(.success(())) }
        }
      }
      try? await all.value()
    }
    pool.stop()
    let outcome = order.withLock { $0 }
    #expect(!outcome.contains("member refused"))
    #expect(outcome.count { $0 == "member" } == 8)
    // Newcomers have a quarter of the places, and one of them may be running already.
    #expect(outcome.count { $0 == "refused" } >= 40 - 16 / 4 - 1)
    // Members and newcomers take turns: no member waits for two newcomers.
    let served = outcome.filter { $0 != "refused" }
    #expect(served.dropFirst().firstIndex(of: "member").map { $0 <= 2 } == true, "\(served)")
  }

  /// The processor time of this thread so far, which other work on the machine does not increase.
  private static func processorNanoseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  @Test("takes as long for an unknown account as for a known one")
  func sameTime() throws {
    let cost = try #require(ScryptCost(logarithm: 14, blockSize: 8, parallelism: 1))
    let pool = try PasswordPool(threads: 1, waiting: 8, cost: cost)
    let times = Mutex<[UInt64]>([])
    try onLoop { _ in
      let hash = try? await pool.hash("correct horse")
      for text in [hash, nil, hash, nil, hash, nil] {
        let started = Clock.monotonic()
        _ = try? await pool.verify("another horse", against: text)
        times.withLock { $0.append(Clock.monotonic() - started) }
      }
    }
    let measured = times.withLock { $0 }
    let known = min(measured[0], measured[2], measured[4])
    let unknown = min(measured[1], measured[3], measured[5])
    // Both run the same code and differ by the machine's noise. Computing no hash would take a thousandth of the time.
    #expect(unknown * 5 > known && known * 5 > unknown, "\(measured)")
    pool.stop()
  }
}
