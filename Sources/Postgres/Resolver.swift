import Reactor

/// Finds the addresses of a database's servers, for all connections of one loop.
///
/// Questions that come while one is under way, or within a second of its answer, share it.
final class Resolver {
  private static let freshNanoseconds: UInt64 = 1_000_000_000

  private let loop: EventLoop
  private let endpoints: [Endpoint]
  private var waiters: [(Result<[Endpoint], PostgresError>) -> Void] = []
  private var answer: [Endpoint] = []
  private var answeredAt: UInt64?

  init(_ endpoints: [Endpoint], on loop: EventLoop) {
    self.loop = loop
    self.endpoints = endpoints
  }

  /// Calls `completion` on the loop, at once if nothing has to be looked up.
  func resolve(_ completion: @escaping (Result<[Endpoint], PostgresError>) -> Void) {
    let names = endpoints.filter(\.needsLookup).map(\.host)
    if names.isEmpty { return completion(.success(endpoints)) }
    if let answeredAt, loop.now &- answeredAt < Self.freshNanoseconds { return completion(.success(answer)) }
    waiters.append(completion)
    guard waiters.count == 1 else { return }
    NameResolver.resolve(names, on: loop) { [self] in answered($0) }
  }

  private func answered(_ addresses: [Result<[String], NameResolver.Failure>]) {
    let result = found(addresses)
    if case .success(let found) = result {
      answer = found
      answeredAt = loop.now
    }
    let asked = waiters
    waiters = []
    for waiter in asked { waiter(result) }
  }

  /// Every endpoint with its addresses; names without one are left out while any other is left.
  private func found(
    _ addresses: [Result<[String], NameResolver.Failure>]
  ) -> Result<[Endpoint], PostgresError> {
    var addresses = addresses[...]
    var found: [Endpoint] = []
    var complaint = ""
    for endpoint in endpoints {
      guard endpoint.needsLookup else {
        found.append(endpoint)
        continue
      }
      switch addresses.removeFirst() {
      case .success(let all): found += all.map { Endpoint(host: endpoint.host, address: $0, port: endpoint.port) }
      case .failure(let failure): complaint = failure.description
      }
    }
    return found.isEmpty ? .failure(PostgresError(.unavailable, complaint)) : .success(found)
  }
}
