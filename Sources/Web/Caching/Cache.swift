import Metrics
import Postgres
import Reactor
import Redis

/// Finished answers kept in Redis, shared by all loops and replicas: cache-aside, one load at a time per loop. What is
/// asked for again and again a loop remembers by itself (`Cache+memory.swift`).
///
/// Every entry carries the generation of its tag and the epoch of the whole cache as they were before it was loaded,
/// and counts only while both still stand. A commit gives the tag a new generation, so that an entry loaded from the
/// old state can never come in later; a connection that was lost gives the cache a new epoch, since invalidations may
/// have been missed. One MGET reads all three. A commit that Redis could not be told of changes the `CommitMark`, and
/// an epoch counts under its own mark alone. While Redis is away everything is loaded and nothing kept.
package final class Cache {
  /// How long an entry lives, in milliseconds, give or take a tenth so that entries do not all end at once.
  static let lifetimeMilliseconds: Int64 = 60_000
  /// How long a tag's generation is kept: well beyond the life of an entry that carries it.
  static let generationLifetimeMilliseconds: Int64 = 3_600_000
  /// The largest body that is kept, in bytes.
  static let maximumBodyBytes = 256 * 1024
  /// The most bytes that a loop stores within a lifetime: ever new searches must not fill Redis.
  static let maximumBytesPerLifetime = 4 * 1024 * 1024

  /// The pause before an epoch that could not be begun is tried again, in nanoseconds.
  static let retryNanoseconds: UInt64 = 100_000_000

  let redis: RedisClient
  let subscriber: RedisSubscriber
  let database: Database
  let commitMark: CommitMark
  /// Of all loops of the process.
  let counts: ChangeCounts
  /// Where the epoch stands: for scripts that keep something else than finished answers by the same rules.
  package let epochKey: String
  let generationPrefix: String
  // The same in UTF-8, as every look-up needs them.
  private let keyBytes: (epoch: [UInt8], generation: [UInt8], value: [UInt8])
  package let isEnabled: Bool
  let record: (_ cache: String, _ result: CacheResult) -> Void
  private let loads = SingleFlight<Flight, TaggedBody>()
  /// Whether this connection to Redis has seen an epoch that it may read by.
  @exclusivity(unchecked) var isTrusted = false
  /// Whether a connection was lost, so that what is there may have missed a change.
  var owesEpoch = false
  /// Whether an epoch is being begun.
  var isBeginning = false
  /// Changes that Redis could not be told of, and the mark does not tell of yet.
  var isMarking = false
  var owesMark = false
  /// What this loop remembers, under one mark.
  @exclusivity(unchecked) var memory: AnswerMemory
  @exclusivity(unchecked) var rememberedMark: UInt64 = 0
  /// Counts how often everything was forgotten.
  @exclusivity(unchecked) var session: UInt64 = 0
  private var stored = (until: UInt64(0), bytes: 0)
  private var random = SystemRandomNumberGenerator()

  /// A cache of one loop; keys begin with `prefix`, and `record` counts each look-up. The subscriber was just made.
  init(
    redis: RedisClient, subscriber: RedisSubscriber, database: Database, commitMark: CommitMark, counts: ChangeCounts,
    memory: AnswerMemory, prefix: String, isEnabled: Bool,
    record: @escaping (_ cache: String, _ result: CacheResult) -> Void
  ) {
    self.redis = redis
    self.subscriber = subscriber
    self.database = database
    self.commitMark = commitMark
    self.counts = counts
    self.memory = memory
    epochKey = "\(prefix)epoch"
    generationPrefix = "\(prefix)g:"
    keyBytes = (Array(epochKey.utf8), Array(generationPrefix.utf8), Array("\(prefix)v:".utf8))
    self.isEnabled = isEnabled
    self.record = record
    listen()
  }

  /// The entry of a key, from Redis or from `load`; what `load` throws is not kept.
  func entry(_ key: CacheKey, _ load: () async throws -> [UInt8]) async throws -> TaggedBody {
    let finding = await withLoopContinuation { continuation in
      find(key) { continuation.resume(returning: $0) }
    }
    return try await entry(key, finding, load)
  }

  /// The entry that was found, or else what `load` gives, which is kept if it may be.
  func entry(
    _ key: CacheKey, _ finding: CacheFinding, _ load: () async throws -> [UInt8]
  ) async throws -> TaggedBody {
    switch finding {
    case .entry(let entry): return entry
    case .absent(let stamp): return try await loadOnce(key, stamp, load)
    case .withoutEpoch: epochIsMissing()
    case .bypassed: break
    }
    return TaggedBody(try await load())
  }

  /// Looks a key up and calls `found` with what there is: in the turn in which Redis answers, or at once.
  func find(_ key: CacheKey, _ found: @escaping (CacheFinding) -> Void) {
    guard let mark = usableMark else {
      record(key.cache, .bypass)
      return found(.bypassed)
    }
    redis.values { keys in
      keys.append(keyBytes.epoch)
      keys.append(keyBytes.generation, key.tag)
      keys.append(keyBytes.value, key.text)
      // Invariant 1.
    } _: { [unowned(unsafe) self, cache = key.cache] values in
      let finding = CacheFinding(try? values.get(), under: mark)
      record(cache, finding.result)
      found(finding)
    }
  }

  /// Where the generation of a tag stands.
  package func generationKey(_ tag: CacheTag) -> String {
    generationPrefix + String(decoding: tag.bytes, as: UTF8.self)
  }

  private func loadOnce(
    _ key: CacheKey, _ stamp: CacheStamp, _ load: () async throws -> [UInt8]
  ) async throws -> TaggedBody {
    // A load that began before a newer commit must not answer for it: only loads of the same stamp are shared.
    try await loads.value(of: Flight(key: key.text, stamp: stamp)) {
      TaggedBody(try await load())
    } then: { entry in
      if mayKeep(entry) { await keep(key, entry, stamp) }
    }
  }

  /// A load under way.
  private struct Flight: Hashable {
    let key: [UInt8]
    let stamp: CacheStamp
  }

  private func mayKeep(_ entry: TaggedBody) -> Bool {
    let (now, bytes) = (Clock.monotonic(), entry.body.count)
    if now >= stored.until { stored = (now + UInt64(Self.lifetimeMilliseconds) * 1_000_000, 0) }
    guard bytes <= Self.maximumBodyBytes, stored.bytes + bytes <= Self.maximumBytesPerLifetime else { return false }
    stored.bytes += bytes
    return true
  }

  private func keep(_ key: CacheKey, _ entry: TaggedBody, _ stamp: CacheStamp) async {
    let jitter = Int64.random(in: -Self.lifetimeMilliseconds / 10...Self.lifetimeMilliseconds / 10, using: &random)
    // A value that is not kept is only loaded again.
    _ = try? await redis.send(
      "SET", .bytes(keyBytes.value + key.text), .bytes(entry.stored(stampedWith: stamp)), "PX",
      .integer(Self.lifetimeMilliseconds + jitter))
  }
}
