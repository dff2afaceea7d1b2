import Glibc
import HTTP
import Reactor
import Settings

/// The listening sockets of the process: one for each worker, and one for metrics.
///
/// They are bound here, or inherited: from a service manager by its socket activation (sd_listen_fds(3)), or from a
/// predecessor that is being replaced. What is bound here refuses connections until `listen`, so that a load balancer
/// tries elsewhere for as long as the start takes.
struct ServiceSockets {
  /// Loops that serve requests.
  let workers: Int
  /// One for each worker, once they listen.
  private(set) var requests: [Int32]
  let metrics: Int32?
  private let host: String
  /// Bound by this process and not listening yet.
  private var silent: [Int32] = []

  /// Throws EADDRINUSE when another process listens at one of the ports.
  init(_ configuration: Configuration) throws(SystemError) {
    let configuration = configuration.listening
    host = configuration.host
    let inherited = ListeningSocket.inherited()
    var metrics: Int32?
    if configuration.metricsPort != 0 {
      metrics = inherited.first { ListeningSocket.port(of: $0) == configuration.metricsPort }
      if metrics == nil {
        let bound = try ListeningSocket.bound(host: host, port: configuration.metricsPort)
        metrics = bound
        silent.append(bound)
      }
    }
    self.metrics = metrics
    requests = inherited.filter { $0 != metrics }
    workers = max(requests.count, configuration.workers)
    if requests.isEmpty {
      requests = [try ListeningSocket.bound(host: host, port: configuration.port)]
      silent.append(requests[0])
    } else {
      // A manager passes one socket: the workers share it, each through a descriptor of its own.
      for _ in requests.count..<workers { requests.append(fcntl(requests[0], F_DUPFD_CLOEXEC, 3)) }
    }
  }

  var port: UInt16 { ListeningSocket.port(of: requests[0]) }
  var metricsPort: UInt16? { metrics.map(ListeningSocket.port(of:)) }
  /// All of them, for a successor.
  var all: [Int32] { requests + (metrics.map { [$0] } ?? []) }

  /// Starts to listen on all of them; connections wait to be accepted. Throws EADDRINUSE when another process listens
  /// at one of the ports by now.
  mutating func listen() throws(SystemError) {
    for socket in silent { try ListeningSocket.startListening(socket) }
    silent = []
    while requests.count < workers { requests.append(try ListeningSocket.open(host: host, beside: requests[0])) }
  }
}
