import Postgres
import Redis

/// How the cache learns of commits.
extension Cache {
  /// The pause between two changes of the mark, in nanoseconds: commits that Redis was not told of meanwhile share one
  /// change.
  private static let markingPauseNanoseconds: UInt64 = 150_000_000

  /// Runs `body` in a transaction and, after the COMMIT, invalidates the entries of the tags that `body` adds; also
  /// when the outcome of the COMMIT is unknown, which it then throws.
  ///
  /// While Redis is away, the mark in Postgres changes with the same commit. This is invariant 8 of ARCHITECTURE.md.
  package func change<Value>(
    timeoutMilliseconds: Int? = nil, _ body: (Transaction, inout [CacheTag]) async throws -> Value
  ) async throws -> Value {
    var (tags, isMarked): ([CacheTag], Bool) = ([], false)
    do {
      let value = try await database.transaction(timeoutMilliseconds: timeoutMilliseconds) { transaction in
        tags = []
        let value = try await body(transaction, &tags)
        isMarked = isEnabled && !tags.isEmpty && !redis.isConnected
        if isMarked { try await CommitMark.change(in: transaction) }
        return value
      }
      if isMarked { commitMark.distrust() } else { await invalidate(tags) }
      return value
    } catch let error as PostgresError where error.outcomeIsUnknown {
      await invalidate(tags)
      // Postgres may still commit it, once it has recovered.
      changeWasLost()
      throw error
    }
  }

  /// Invalidates all entries of the tags; called after the COMMIT that changed their source.
  ///
  /// When Redis does not take it, the mark in Postgres tells every replica.
  package func invalidate(_ tags: [CacheTag]) async {
    guard isEnabled, !tags.isEmpty else { return }
    let commands = tags.map { tag -> [RedisArgument] in
      let generation = withUnsafeBytes(of: UInt64.random(in: .min ... .max)) { Array($0) }
      return [
        "SET", .text(generationKey(tag)), .bytes(generation), "PX", .integer(Self.generationLifetimeMilliseconds),
      ]
    }
    // An error reply, such as that of a Redis out of memory, means that the change was not noted either.
    let replies = try? await redis.pipeline(commands)
    if replies?.allSatisfy({ $0.text == "OK" }) != true { changeWasLost() }
    // Only once Redis has it: what is asked of it from here on is new.
    countChange(tags)
  }

  /// Called when Redis could not be told of a change: changes the mark, retrying until Postgres has taken it, and until
  /// then no loop of this process reads entries.
  package func changeWasLost() {
    guard isEnabled else { return }
    owesMark = true
    if isMarking { return }
    isMarking = true
    commitMark.beginMarking()
    database.loop.spawn { [self] in
      while owesMark {
        owesMark = false
        do { try await CommitMark.change(database) } catch { owesMark = true }
        await database.loop.sleep(nanoseconds: Self.markingPauseNanoseconds)
      }
      isMarking = false
      commitMark.endMarking()
    }
  }
}
