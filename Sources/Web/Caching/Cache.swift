import Metrics
import Postgres
import Reactor
import Redis

/// Finished answers in Redis, shared by all loops and replicas: cache-aside, with one load of an entry at a time on
/// each loop. Each loop also remembers answers by itself (`Cache+memory.swift`).
///
/// Every entry carries the generation of its tag and the epoch of the whole cache as they were before it was loaded,
/// and counts only while both still stand. A commit gives the tag a new generation, so that an entry loaded from the
/// old state can never come in later; a lost connection gives the cache a new epoch, since invalidations may have been
/// missed. One MGET reads all three. A commit that Redis could not be told of changes the `CommitMark`, and an epoch
/// counts only under its own mark. While Redis is away, everything is loaded and nothing is kept.
package final class Cache {
  /// How long an entry lives, in milliseconds, give or take a tenth so that entries do not all end at once.
  static let lifetimeMilliseconds: Int64 = 60_000
  /// How long a tag's generation is kept: well beyond the life of an entry that carries it.
  static let generationLifetimeMilliseconds: Int64 = 3_600_000
  /// The largest body that is kept, in bytes.
  static let maximumBodyBytes = 256 * 1024
  /// The most bytes that a loop stores within a lifetime, so that ever new searches cannot fill Redis.
  static let maximumBytesPerLifetime = 4 * 1024 * 1024

  /// The pause before another attempt to begin an epoch, in nanoseconds.
  static let retryNanoseconds: UInt64 = 100_000_000

  let redis: RedisClient
  let subscriber: RedisSubscriber
  let database: Database
  let commitMark: CommitMark
  /// Shared by all loops of the process.
  let counts: ChangeCounts
  /// The key of the epoch, for scripts that keep other things than finished answers by the same rules.
  package let epochKey: String
  let generationPrefix: String
  // The key and the prefixes in UTF-8, as every look-up needs them.
  private let keyBytes: (epoch: [UInt8], generation: [UInt8], value: [UInt8])
  package let isEnabled: Bool
  let record: (_ cache: String, _ result: CacheResult) -> Void
  private let loads = SingleFlight<Flight, TaggedBody>()
  /// Whether this connection to Redis has seen an epoch that it may read by.
  @exclusivity(unchecked) var isTrusted = false
  /// Whether a connection was lost, so that the present epoch may have missed a change.
  var owesEpoch = false
  /// Whether an epoch is being begun.
  var isBeginning = false
  /// Whether the mark is being changed.
  var isMarking = false
  /// Whether a change was lost that the mark does not tell of yet.
  var owesMark = false
  /// What this loop remembers, under `rememberedMark`.
  @exclusivity(unchecked) var memory: AnswerMemory
  @exclusivity(unchecked) var rememberedMark: UInt64 = 0
  /// How often all answers were forgotten.
  @exclusivity(unchecked) var clearings: UInt64 = 0
  private var stored = (until: UInt64(0), bytes: 0)
  private var random = SystemRandomNumberGenerator()

  /// Makes the cache of one loop. Keys begin with `prefix`, and `record` counts each look-up. `subscriber` must be new:
  /// it has not connected yet.
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

  /// Returns the entry of a key, from Redis or from `load`; what `load` throws is not kept.
  func entry(_ key: CacheKey, _ load: () async throws -> [UInt8]) async throws -> TaggedBody {
    let finding = await withLoopContinuation { continuation in
      find(key) { continuation.resume(returning: $0) }
    }
    return try await entry(key, finding, load)
  }

  /// Returns the entry that was found, or else what `load` returns, which is kept where it may be.
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

  /// Looks a key up and calls `found` with the result: in the turn in which Redis answers, or at once.
  func find(_ key: CacheKey, _ found: @escaping (CacheFinding) -> Void) {
    guard let mark = usableMark else {
      record(key.cache, .bypass)
      return found(.bypassed)
    }
    redis.values { keys in
      keys.append(keyBytes.epoch)
      keys.append(keyBytes.generation, key.tag)
      keys.append(keyBytes.value, key.text)
      // Invariant 1: the cache outlives its connection to Redis.
    } _: { [unowned(unsafe) self, cache = key.cache] values in
      let finding = CacheFinding(try? values.get(), under: mark)
      record(cache, finding.result)
      found(finding)
    }
  }

  /// The key of a tag's generation.
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
    // If this fails, the value is only loaded again.
    _ = try? await redis.send(
      "SET", .bytes(keyBytes.value + key.text), .bytes(entry.stored(stampedWith: stamp)), "PX",
      .integer(Self.lifetimeMilliseconds + jitter))
  }
}
