import Metrics

/// The metrics of one loop: children of its own shard, found by small tables instead of labels.
package final class Meters {
  package let instruments: Instruments
  package let shard: Int
  let activeConnections: Gauge
  package let openConnections: Gauge
  package let connectionsDropped: Counter
  let responseTime: Histogram
  package let usersRegistered: Counter
  package let databaseActive: Gauge
  package let databaseIdle: Gauge
  package let redisActive: Gauge
  package let loopLag: Histogram
  package let eventsDropped: Counter
  // By name: there are few, and comparing short names costs less than hashing one.
  @exclusivity(unchecked) private var cacheCounters: [CacheCounters] = []
  // By `Statement.id`, which counts from 1; 0 is for what is not prepared.
  private var queries: [Histogram?] = []
  private var commands: [String: Histogram] = [:]
  private var lastCommand: (name: String, histogram: Histogram)?

  init(_ instruments: Instruments, shard: Int) {
    self.instruments = instruments
    self.shard = shard
    activeConnections = instruments.requests.activeConnections.child(shard: shard)
    openConnections = instruments.requests.openConnections.child(shard: shard)
    connectionsDropped = instruments.requests.connectionsDropped.child(shard: shard)
    responseTime = instruments.requests.responseTime.child(shard: shard)
    usersRegistered = instruments.usersRegistered.child(shard: shard)
    databaseActive = instruments.stores.databaseActive.child(shard: shard)
    databaseIdle = instruments.stores.databaseIdle.child(shard: shard)
    redisActive = instruments.stores.redisActive.child(shard: shard)
    loopLag = instruments.loopLag.child(shard: shard, "\(shard)")
    eventsDropped = instruments.eventsDropped.child(shard: shard)
    // There at zero, so that the first rise is seen.
    for action in UserAction.allCases {
      for hasUser in [true, false] { _ = actions(action, hasUser: hasUser) }
    }
  }

  /// Counts a look-up in a cache.
  package func cache(_ name: String, _ result: CacheResult) {
    let counters = cacheCounters.first { $0.name == name } ?? addCache(name)
    switch result {
    case .hit: counters.hits.increment()
    case .miss: counters.misses.increment()
    case .bypass: counters.bypasses.increment()
    }
  }

  private struct CacheCounters {
    let name: String
    let hits, misses, bypasses: Counter
  }

  private func addCache(_ name: String) -> CacheCounters {
    let family = instruments.stores.cacheRequests
    let counters = CacheCounters(
      name: name, hits: family.child(shard: shard, name, CacheResult.hit.rawValue),
      misses: family.child(shard: shard, name, CacheResult.miss.rawValue),
      bypasses: family.child(shard: shard, name, CacheResult.bypass.rawValue))
    cacheCounters.append(counters)
    return counters
  }

  /// Counts what a user did; `hasUser` is false when it is not known which user.
  package func action(_ action: UserAction, hasUser: Bool = true) {
    actions(action, hasUser: hasUser).increment()
  }

  private func actions(_ action: UserAction, hasUser: Bool) -> Counter {
    instruments.userActions.child(shard: shard, action.rawValue, hasUser ? "true" : "false")
  }

  /// Notes how long a query took; `statement` is `Statement.id`, 0 for what is not prepared.
  func query(_ statement: Int, _ name: String, seconds: Double) {
    if statement < queries.count, let known = queries[statement] { return known.observe(seconds) }
    let histogram = instruments.stores.queryDuration.child(shard: shard, name)
    if statement > 0 {
      if statement >= queries.count {
        queries.append(contentsOf: repeatElement(nil, count: statement + 16 - queries.count))
      }
      queries[statement] = histogram
    }
    histogram.observe(seconds)
  }

  /// Notes how long a command of Redis took.
  func command(_ name: String, seconds: Double) {
    if let lastCommand, lastCommand.name == name { return lastCommand.histogram.observe(seconds) }
    let histogram = commands[name] ?? instruments.stores.commandDuration.child(shard: shard, name)
    commands[name] = histogram
    lastCommand = (name, histogram)
    histogram.observe(seconds)
  }
}
