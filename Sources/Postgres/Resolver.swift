import CLinux
import Glibc
import Reactor

/// Looks names up on a thread of its own, since getaddrinfo(3) blocks, for all connections of one loop.
///
/// Questions that come while one is under way, or within a second of its answer, share it.
final class Resolver {
  /// The most addresses taken of one name.
  static let addressesPerName = 8
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
    guard endpoints.contains(where: \.needsLookup) else { return completion(.success(endpoints)) }
    if let answeredAt, loop.now &- answeredAt < Self.freshNanoseconds { return completion(.success(answer)) }
    waiters.append(completion)
    if waiters.count == 1 { ask() }
  }

  private func ask() {
    let endpoints = endpoints
    let executor = loop.executor
    // It comes back to the loop's thread and is touched only there.
    nonisolated(unsafe) let resolver = self
    do {
      _ = try LoopThread(name: "pg-resolve") {
        // Nobody joins it.
        pthread_detach(pthread_self())
        let answer = Self.look(endpoints)
        executor.submit { resolver.answered(answer) }
      }
    } catch {
      answered(.failure(PostgresError(.unavailable, "\(error)")))
    }
  }

  private func answered(_ result: Result<[Endpoint], PostgresError>) {
    if case .success(let found) = result {
      answer = found
      answeredAt = loop.now
    }
    let asked = waiters
    waiters = []
    for waiter in asked { waiter(result) }
  }

  /// Every endpoint with its addresses; names without one are left out while any other is left.
  private static func look(_ endpoints: [Endpoint]) -> Result<[Endpoint], PostgresError> {
    var found: [Endpoint] = []
    var complaint = ""
    for endpoint in endpoints {
      guard endpoint.needsLookup else {
        found.append(endpoint)
        continue
      }
      switch addresses(of: endpoint.host) {
      case .success(let addresses):
        found += addresses.map { Endpoint(host: endpoint.host, address: $0, port: endpoint.port) }
      case .failure(let error):
        complaint = error.message
      }
    }
    return found.isEmpty ? .failure(PostgresError(.unavailable, complaint)) : .success(found)
  }

  private static func addresses(of name: String) -> Result<[String], PostgresError> {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(name, nil, &hints, &list)
    guard code == 0 else {
      return .failure(PostgresError(.unavailable, "host \(name): \(String(cString: gai_strerror(code)))"))
    }
    defer { freeaddrinfo(list) }
    var addresses: [String] = []
    var next = list
    while let entry = next?.pointee, addresses.count < addressesPerName {
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      if getnameinfo(
        entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
      {
        addresses.append(text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
      }
      next = entry.ai_next
    }
    return .success(addresses)
  }
}
