import Reactor

/// Finds the addresses of a database's servers, for all connections of one loop.
///
/// An answer is used for a second; where no new one comes, the last one stays in use.
final class Resolver {
  private static let freshNanoseconds: UInt64 = 1_000_000_000

  private let loop: EventLoop
  private let endpoints: [ServerAddress]
  private let names: RememberedNames
  private var answer: [ServerAddress] = []
  private var answeredAt: UInt64?

  init(_ endpoints: [ServerAddress], on loop: EventLoop) {
    self.loop = loop
    self.endpoints = endpoints
    names = RememberedNames(endpoints.filter(\.needsLookup).map(\.host), on: loop)
  }

  /// Calls `completion` on the loop, at once if nothing has to be looked up.
  func resolve(_ completion: @escaping (Result<[ServerAddress], PostgresError>) -> Void) {
    if !endpoints.contains(where: \.needsLookup) { return completion(.success(endpoints)) }
    if let answeredAt, loop.now &- answeredAt < Self.freshNanoseconds { return completion(.success(answer)) }
    names.resolve { [self] addresses in
      let result = found(addresses)
      if case .success(let found) = result {
        answer = found
        answeredAt = loop.now
      }
      completion(result)
    }
  }

  /// Returns every endpoint with its addresses. Names without any are left out; it is an error if nothing is left.
  private func found(_ addresses: RememberedNames.Answer) -> Result<[ServerAddress], PostgresError> {
    var addresses = addresses[...]
    var found: [ServerAddress] = []
    var complaint = ""
    for endpoint in endpoints {
      guard endpoint.needsLookup else {
        found.append(endpoint)
        continue
      }
      switch addresses.removeFirst() {
      case .success(let all): found += all.map { ServerAddress(host: endpoint.host, address: $0, port: endpoint.port) }
      case .failure(let failure): complaint = failure.description
      }
    }
    return found.isEmpty ? .failure(PostgresError(.unavailable, complaint)) : .success(found)
  }
}
