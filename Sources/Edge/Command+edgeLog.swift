import Commands
import Glibc
import HTTP
import Metrics
import Reactor
import Settings
import Telemetry

extension Command {
  /// `terroir edge-log`: beside nginx, for its log and for what clients got.
  package static let edgeLog = Command(
    "edge-log",
    options: [
      Option("--syslog", value: "HOST:PORT", "The address for nginx's datagrams; 0.0.0.0:5140 by default."),
      Option("--metrics", value: "HOST:PORT", "The address that serves metrics; 0.0.0.0:9465 by default."),
    ],
    "Writes nginx's log to standard output and counts the answers that clients got, until a signal ends it.",
    body: .plain { invocation in
      let (syslog, metrics) = (invocation.options["--syslog"], invocation.options["--metrics"])
      guard let syslog = SocketAddress(syslog ?? "0.0.0.0:5140"), let metrics = SocketAddress(metrics ?? "0.0.0.0:9465")
      else {
        throw CommandFault.misuse("an address is a number and a port, such as 127.0.0.1:5140")
      }
      Signals.block([SIGTERM, SIGINT])
      let logs = LogSink(
        style: LogStyle(
          format: .json, level: .info, service: "nginx", version: Version.number,
          environment: invocation.environment.variables["ENVIRONMENT"] ?? "development"))
      defer { logs.close(deadlineMilliseconds: LogSink.flushMilliseconds) }
      do {
        try receive(syslog, metrics, logs)
        return ExitCode.success
      } catch {
        throw CommandFault("\(error)")
      }
    })

  /// The memory for all scrapes, in bytes.
  private static let scrapeMemoryBytes = 16 << 20

  private static func receive(_ syslog: SocketAddress, _ metrics: SocketAddress, _ logs: LogSink) throws {
    let loop = try EventLoop(index: 0)
    let registry = Registry(shards: 1)
    registry.collect(ProcessCollector())
    registry.counter("log_lines_dropped_total", help: "Log lines dropped because the reader was too slow.") {
      Double(logs.droppedLines)
    }
    let server = Server(
      loop: loop, memory: MemoryBudget(bytes: scrapeMemoryBytes), application: MetricsApplication(registry))
    try server.accept(from: ListeningSocket.open(host: metrics.host, port: metrics.port))
    let socket = try DatagramSocket.open(host: syslog.host, port: syslog.port)
    let log = EdgeLog(socket: socket, logger: Logger(logs), answers: EdgeAnswers(registry))
    try loop.add(socket, .readable, log)
    let signals = try Signals([SIGTERM, SIGINT], on: loop) { _ in loop.stop() }
    withExtendedLifetime((server, signals)) { loop.run() }
  }
}
