import Glibc
import HTTP

/// The listening sockets of the process: one for each worker, and one for metrics.
///
/// They are opened here, or inherited: from a service manager by its socket activation (sd_listen_fds(3)), or from a
/// predecessor that is being replaced.
struct ServiceSockets {
  let requests: [Int32]
  let metrics: Int32?

  init(_ configuration: Configuration) throws {
    let (configuration, metricsPort) = (configuration.listening, configuration.listening.metricsPort)
    let hasMetrics = metricsPort != 0
    let inherited = Successor.inheritedSockets()
    if inherited.isEmpty {
      let first = try ListeningSocket.open(host: configuration.host, port: configuration.port)
      // With port 0 the kernel chooses for the first; the others join it there.
      let port = ListeningSocket.port(of: first)
      requests =
        try [first]
        + (1..<configuration.workers).map { _ in
          try ListeningSocket.open(host: configuration.host, port: port)
        }
      metrics = hasMetrics ? try Self.openMetrics(configuration) : nil
      return
    }
    let passedMetrics = inherited.first { hasMetrics && ListeningSocket.port(of: $0) == metricsPort }
    let passed = inherited.filter { $0 != passedMetrics }
    // A manager passes one socket: the workers share it, each through a descriptor of its own.
    requests =
      passed
      + (passed.count..<max(passed.count, configuration.workers)).map { _ in
        fcntl(passed[0], F_DUPFD_CLOEXEC, 3)
      }
    metrics = try passedMetrics ?? (hasMetrics ? Self.openMetrics(configuration) : nil)
  }

  var port: UInt16 { ListeningSocket.port(of: requests[0]) }
  var metricsPort: UInt16? { metrics.map(ListeningSocket.port(of:)) }

  private static func openMetrics(_ configuration: Configuration.Listening) throws -> Int32 {
    try ListeningSocket.open(host: configuration.host, port: configuration.metricsPort)
  }
}
