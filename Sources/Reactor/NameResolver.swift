import CLinux
import Glibc

/// Looks host names up without blocking a loop.
package enum NameResolver {
  /// The most addresses taken from one name.
  package static let maximumAddresses = 8

  /// Why a name has no address; says which name.
  package struct Failure: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  /// The address of a host that is given as one; nil for a name.
  package static func address(ofNumeric host: String) -> String? {
    (try? lookUp(host, flags: AI_NUMERICHOST).get())?.first
  }

  /// Calls `found` on the loop with the numeric addresses of each host, in the order of `hosts`.
  ///
  /// If all hosts are numeric, it is called at once, otherwise after a thread of its own has looked all names up, since
  /// getaddrinfo(3) blocks. Each call starts such a thread, which holds `found` until it ends: with a silent name
  /// server, long after callers have given up. So a caller that asks often must keep the answer for a while, or bound
  /// its look-ups in flight.
  package static func resolve(
    _ hosts: [String], on loop: EventLoop, _ found: @escaping ([Result<[String], Failure>]) -> Void
  ) {
    let numeric = hosts.map { lookUp($0, flags: AI_NUMERICHOST) }
    if numeric.allSatisfy({ (try? $0.get()) != nil }) { return found(numeric) }
    let executor = loop.executor
    // Invariant 2: called on the loop's thread alone; the other thread only carries it.
    nonisolated(unsafe) let found = found
    do {
      let thread = try SystemThread(name: "name-resolver") {
        let addresses = hosts.map { lookUp($0, flags: 0) }
        executor.submit { found(addresses) }
      }
      // Not waited for: the system's resolver may take longer than any caller waits.
      thread.detach()
    } catch {
      found(hosts.map { _ in .failure(Failure(description: "\(error)")) })
    }
  }

  private static func lookUp(_ host: String, flags: Int32) -> Result<[String], Failure> {
    var hints = addrinfo()
    hints.ai_flags = flags
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, nil, &hints, &list)
    guard code == 0 else {
      return .failure(Failure(description: "host \(host): \(String(cString: gai_strerror(code)))"))
    }
    defer { freeaddrinfo(list) }
    var addresses: [String] = []
    var next = list
    while let entry = next?.pointee, addresses.count < maximumAddresses {
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      let code = getnameinfo(
        entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
      if code == 0 {
        addresses.append(text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
      }
      next = entry.ai_next
    }
    return addresses.isEmpty ? .failure(Failure(description: "host \(host): no address")) : .success(addresses)
  }
}
