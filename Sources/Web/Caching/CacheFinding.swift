import Redis

/// What a look-up in the cache has found.
enum CacheFinding {
  case entry(TaggedBody)
  /// No entry that counts; what is loaded from now on may be kept with this stamp.
  case absent(CacheStamp)
  /// There is no epoch of the present mark, without which nothing can be kept.
  case withoutEpoch
  /// The cache is off, a store is away, or entries cannot be trusted.
  case bypassed

  /// Judges the values of an epoch, a tag's generation and an entry under a mark of commits.
  init(_ values: RedisValues?, under mark: UInt64) {
    guard let values, values.count == 3 else {
      self = .bypassed
      return
    }
    guard let epoch = values[0].flatMap(CacheEpoch.init), epoch.mark == mark else {
      self = .withoutEpoch
      return
    }
    let stamp = CacheStamp(epoch: epoch, generation: values[1])
    let entry = values[2].flatMap { TaggedBody(stored: $0, ifStampedWith: stamp) }
    self = entry.map { .entry($0) } ?? .absent(stamp)
  }

  var result: CacheResult {
    switch self {
    case .entry: .hit
    case .absent: .miss
    case .withoutEpoch, .bypassed: .bypass
    }
  }
}
