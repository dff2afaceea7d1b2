import HTTP
import Metrics

/// The request metrics of one route on one loop: children are resolved when a method and status are first seen, then
/// found again in a list of a few entries.
package final class RouteInstruments {
  private struct Entry {
    let key: UInt32
    let count: Counter
    let duration: Histogram
  }

  private let instruments: Instruments
  private let shard: Int
  private let route: String
  private var entries: [Entry] = []
  /// The entry used last, which is nearly always the next one too; here no reference is counted to find it.
  @exclusivity(unchecked) private var last: Entry?

  package init(_ instruments: Instruments, shard: Int, route: String) {
    self.instruments = instruments
    self.shard = shard
    self.route = route
  }

  /// Counts one answered request; `exemplar` names its trace when that is sampled.
  package func record(_ method: HTTP.Method, _ status: Status, seconds: Double, exemplar: Exemplar?) {
    let entry = entry(UInt32(method.rawValue) << 16 | UInt32(status.rawValue), method, status.rawValue)
    entry.count.increment()
    if let exemplar { entry.duration.observe(seconds, exemplar: exemplar) } else { entry.duration.observe(seconds) }
  }

  @inline(__always)
  private func entry(_ key: UInt32, _ method: HTTP.Method, _ status: UInt16) -> Entry {
    if let last, last.key == key { return last }
    let entry = entries.first { $0.key == key } ?? add(key, method, status)
    last = entry
    return entry
  }

  private func add(_ key: UInt32, _ method: HTTP.Method, _ status: UInt16) -> Entry {
    let code = String(status)
    let entry = Entry(
      key: key, count: counter(method, status),
      duration: instruments.requests.duration.child(shard: shard, method.name.description, route, code, code))
    entries.append(entry)
    return entry
  }

  /// Makes the counter of an answer that the route can give, at zero: the rise of a counter that appears with its first
  /// failure cannot be seen. Durations need no such start, since no alert waits for their rise.
  package func expect(_ method: HTTP.Method, _ status: Status) { _ = counter(method, status.rawValue) }

  private func counter(_ method: HTTP.Method, _ status: UInt16) -> Counter {
    let code = String(status)
    return instruments.requests.count.child(
      shard: shard, method.name.description, route, code, code, "\(status / 100)xx")
  }
}
