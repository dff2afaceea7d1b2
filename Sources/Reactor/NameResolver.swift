import CLinux
import Glibc
import Reactor

/// Looks host names up without blocking a loop.
enum NameResolver {
  /// The most addresses tried for one name.
  static let maximumAddresses = 8

  /// Calls `found` on the loop with the numeric addresses of a host, none when it has none.
  ///
  /// A numeric host is answered within the call; a name on a thread of its own, one for each call.
  static func resolve(_ host: String, on loop: EventLoop, _ found: @escaping ([String]) -> Void) {
    let numeric = lookUp(host, flags: AI_NUMERICHOST)
    guard numeric.isEmpty else { return found(numeric) }
    let executor = loop.executor
    // Called on the loop's thread alone; the other thread only carries it.
    nonisolated(unsafe) let found = found
    do {
      _ = try LoopThread(name: "redis-resolver") {
        // Nobody joins it: the system's resolver may take longer than anyone waits.
        pthread_detach(pthread_self())
        let addresses = lookUp(host, flags: 0)
        executor.submit { found(addresses) }
      }
    } catch {
      found([])
    }
  }

  private static func lookUp(_ host: String, flags: Int32) -> [String] {
    var hints = addrinfo()
    hints.ai_flags = flags
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
    defer { freeaddrinfo(list) }
    var addresses: [String] = []
    var next = list
    while let entry = next, addresses.count < maximumAddresses {
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      let length = socklen_t(text.count)
      let code = getnameinfo(
        entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, length, nil, 0, NI_NUMERICHOST)
      if code == 0 {
        addresses.append(text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
      }
      next = entry.pointee.ai_next
    }
    return addresses
  }
}
