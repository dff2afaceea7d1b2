import Metrics
import Postgres
import Reactor
import Telemetry
import Values
import Web

/// Runs what one replica at a time does in the background, on a schedule.
///
/// Each duty runs in a transaction under an advisory lock of its own: where another replica holds it, the run is
/// skipped. A duty never overlaps with itself; one that fails is tried again after its interval. No more duties run at
/// a time than there are connections for: one that waited for a connection in vain would fail.
final class Duties {
  /// The pause after a run that has left work over, in nanoseconds.
  static let breathNanoseconds: UInt64 = 5_000_000
  /// How long the end of the process waits for running duties, in nanoseconds.
  static let finishNanoseconds: UInt64 = 5_000_000_000
  /// The pause before another attempt at what must precede serving, in nanoseconds.
  static let retryNanoseconds: UInt64 = 250_000_000

  private let context: LoopContext
  private let duties: [Duty]
  private var isStopped = false
  private var running = 0
  private let turns: WaitList

  init(_ context: LoopContext, _ duties: [Duty]) {
    self.context = context
    self.duties = duties
    turns = WaitList(on: context.loop)
    // There at zero, so that the first failure is seen.
    for duty in duties {
      for result in Result.allCases { _ = runs(duty, result) }
    }
  }

  /// Runs the duties that must precede serving: waits for the lock of each, and retries until it is done.
  func prepare() async { for duty in duties { await prepare(duty) } }

  private func prepare(_ duty: Duty) async {
    let failures = LogInterval()
    while !isStopped {
      do {
        guard try await duty.mustPrecedeServing(context.database) else { return }
        return try await context.database.transaction(timeoutMilliseconds: duty.timeoutMilliseconds) { transaction in
          try await duty.lock(in: transaction)
          _ = try await duty.run(transaction)
        }
      } catch {
        if failures.isDue(at: context.loop.now) {
          context.logger.log(.warning, "Cannot prepare yet") { $0.field("error", error: error) }
        }
        await context.loop.sleep(nanoseconds: Self.retryNanoseconds)
      }
    }
  }

  /// Starts the schedule; called once the schema is there.
  func start() {
    for duty in duties { context.loop.spawn { [self] in await keep(duty) } }
  }

  /// Begins no further run.
  func stop() { isStopped = true }

  /// Begins no further run, and waits for those that are running, whose commits are still to be announced. After
  /// `finishNanoseconds` it no longer waits, and what still runs is rolled back.
  func finish() async {
    stop()
    let deadline = context.loop.now + Self.finishNanoseconds
    while running > 0, context.loop.now < deadline { await context.loop.sleep(nanoseconds: Self.breathNanoseconds) }
  }

  private func keep(_ duty: Duty) async {
    if duty.delaySeconds > 0 { await context.loop.sleep(nanoseconds: duty.delaySeconds * 1_000_000_000) }
    while !isStopped {
      let hasMore = context.database.isUsable ? await runInTurn(duty) : false
      await context.loop.sleep(nanoseconds: hasMore ? Self.breathNanoseconds : duty.intervalSeconds * 1_000_000_000)
    }
  }

  /// The most duties that run at a time: one connection is left to others, if there are several.
  private var maximumRunning: Int { max(1, context.database.configuration.transactionConnections - 1) }

  private func runInTurn(_ duty: Duty) async -> Bool {
    while running >= maximumRunning, !isStopped {
      _ = await turns.wait(nanoseconds: duty.intervalSeconds * 1_000_000_000)
    }
    // The end may have come while it waited.
    guard !isStopped else { return false }
    running += 1
    defer {
      running -= 1
      turns.release()
    }
    return await run(duty)
  }

  private func run(_ duty: Duty) async -> Bool {
    do {
      let hasMore: Bool? = try await context.database.transaction(timeoutMilliseconds: duty.timeoutMilliseconds) {
        transaction in
        let rows = try await transaction.query(Self.tryLock, Duty.lockClass, duty.lockKey)
        guard try rows[0].decode(Bool.self, 0) else { return nil }
        let hasMore = try await duty.run(transaction)
        // The process may be gone before `onCommit` could announce it.
        if isStopped { try await CommitMark.change(in: transaction) }
        return hasMore
      }
      if hasMore != nil { await duty.onCommit() }
      runs(duty, hasMore == nil ? .skipped : .done).increment()
      return hasMore ?? false
    } catch {
      runs(duty, .failed).increment()
      context.logger.log(.warning, "A duty failed") {
        $0.field("duty", duty.name.description)
        $0.field("error", error: error)
      }
      return await duty.onFailure(error)
    }
  }

  /// How a run ended; another replica had the lock of one that was skipped.
  private enum Result: String, CaseIterable { case done, skipped, failed }

  private func runs(_ duty: Duty, _ result: Result) -> Counter {
    context.process.instruments.dutyRuns.child(
      shard: context.loop.index, duty.name.description, result.rawValue)
  }

  private static let tryLock = Statement("duties.tryLock", "SELECT pg_try_advisory_xact_lock($1, $2)")
}
