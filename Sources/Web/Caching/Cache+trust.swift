import Reactor
import Redis
import Synchronization

/// Whether entries may be read.
extension Cache {
  /// The mark under which entries may be read now; nil while none may. Begins an epoch where only that is missing.
  package var usableMark: UInt64? {
    guard isEnabled, let mark = commitMark.value(at: database.loop.now) else { return nil }
    if isTrusted { return mark }
    epochIsMissing()
    return nil
  }

  /// Called when the connection to Redis comes and goes.
  package func connectionChanged(isConnected: Bool) {
    isTrusted = false
    forgetAll()
    if isConnected { epochIsMissing() } else { owesEpoch = true }
  }

  /// Called when there is no epoch of the present mark: begins one, unless that is in progress, and retries until there
  /// is one or Redis is away.
  package func epochIsMissing() {
    guard isEnabled, !isBeginning else { return }
    isBeginning = true
    database.loop.spawn { [self] in
      while redis.isConnected {
        if let mark = commitMark.value(at: database.loop.now), await beginEpoch(under: mark) { break }
        await database.loop.sleep(nanoseconds: Self.retryNanoseconds)
      }
      isBeginning = false
    }
  }

  /// Begins an epoch, or joins the one that another loop has begun; returns whether entries may be read under it.
  ///
  /// The first epoch of a process is a new one: the process before it may have been killed between a COMMIT and its
  /// invalidation.
  private func beginEpoch(under mark: UInt64) async -> Bool {
    let connection = redis.counts.connections
    let mayJoin = owesEpoch || !counts.hasBegun.load(ordering: .acquiring) ? false : await hasEpoch(under: mark)
    if !mayJoin {
      // Any reply but OK, such as the error of a full Redis, means that nothing was set.
      let reply = try? await redis.send("SET", .text(epochKey), .bytes(CacheEpoch(under: mark).bytes))
      guard reply?.text == "OK" else { return false }
    }
    guard redis.isConnected, redis.counts.connections == connection else { return false }
    owesEpoch = false
    counts.hasBegun.store(true, ordering: .releasing)
    isTrusted = true
    return true
  }

  private func hasEpoch(under mark: UInt64) async -> Bool {
    guard let bytes = try? await redis.get(epochKey) else { return false }
    return bytes.withUnsafeBytes { CacheEpoch($0)?.mark == mark }
  }
}
