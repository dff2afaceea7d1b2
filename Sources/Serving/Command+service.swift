import Commands
import Glibc
import HTTP
import Migrations
import Postgres
import Reactor
import Reference
import Settings
import Telemetry
import Web

/// The commands that start the service or look into it.
extension Command {
  /// `terroir serve`.
  package static let serve = Command(
    "serve", "Serves until a signal ends it.",
    body: .configured { configuration, _ in
      // Before any thread starts, so that all of them inherit the mask.
      Signals.block([SIGTERM, SIGINT, SIGUSR2])
      DescriptorLimit.raise()
      let logs = LogSink(style: configuration.logStyle)
      defer { _ = logs.close(deadlineMilliseconds: LogSink.flushMilliseconds) }
      do {
        let service = try Service(configuration, logs: logs)
        let logger = SharedLogger(logs)
        for warning in configuration.warnings { logger.log(.warning, warning) }
        warn(logger, ofConnectionsIn: configuration)
        try service.run { logger.log(.info, "Serving") }
        return ExitCode.success
      } catch let error as SystemError where error.code == EADDRINUSE {
        throw CommandFault(
          "\(ports(configuration)) is in use on \(configuration.listening.host), perhaps by another terroir")
      } catch let error as SystemError where error.code == EACCES {
        throw CommandFault(
          "\(ports(configuration)) may not be listened on: a port below 1024 needs the capability CAP_NET_BIND_SERVICE")
      } catch let error as SystemError where error.code == EADDRNOTAVAIL {
        throw CommandFault("this machine has no address \(configuration.listening.host) (HOST)")
      }
    })

  /// `terroir migrate`.
  package static let migrate = Command(
    "migrate",
    options: [
      Command.Option("--dry-run", "Prints the statements that the database still lacks, and runs none of them."),
      Command.Option("--sql", "Prints the statements of all migrations instead."),
    ],
    "Migrates the database to this binary's schema.",
    body: .configured { configuration, invocation in
      if invocation.options["--sql"] != nil {
        try invocation.console.write(Migration.all.map(\.script).joined(separator: "\n"))
        return ExitCode.success
      }
      if invocation.options["--dry-run"] != nil {
        let missing = try Database.standalone(configuration.pool, connectSeconds: 10) { database in
          try await Migrator(database: database).missing()
        }
        try invocation.console.write(
          missing.isEmpty ? "-- The schema is up to date.\n" : missing.map(\.script).joined(separator: "\n"))
        return ExitCode.success
      }
      let names = try Database.standalone(configuration.pool, connectSeconds: 10) { database in
        try await database.requireOwnSessions()
        return try await Migrator(database: database).run()
      }
      try invocation.console.write(
        names.isEmpty ? "The schema is up to date.\n" : "Migrated: \(names.joined(separator: ", ")).\n")
      return ExitCode.success
    })

  /// `terroir routes`.
  package static let routes = Command(
    "routes", options: [Command.Option("--openapi", "Prints the OpenAPI document instead.")],
    "Lists all routes that the server serves.",
    body: .configured { configuration, invocation in
      if invocation.options["--openapi"] != nil {
        let document = try EndpointTable.withEndpoints(configuration) { endpoints in
          OpenAPIDocument(endpoints: endpoints, version: configuration.service.version).bytes()
        }
        try invocation.console.write(String(decoding: document, as: UTF8.self) + "\n")
        return ExitCode.success
      }
      let rows = try EndpointTable.withEndpoints(configuration) { endpoints in
        endpoints.map { ("\($0.method.name) \($0.template)", "\($0.access): \($0.summary)") }
      }
      try invocation.console.write(Command.columns(rows))
      return ExitCode.success
    })
}

/// The ports of which one cannot be listened on.
private func ports(_ configuration: Configuration) -> String {
  let listening = configuration.listening
  let metrics = listening.metricsPort == 0 ? "" : " or \(listening.metricsPort) (METRICS_PORT)"
  return "port \(listening.port) (PORT)\(metrics)"
}

/// Says at the start that the server has fewer connections than it was told to have.
private func warn(_ logger: SharedLogger, ofConnectionsIn configuration: Configuration) {
  let (wanted, loops) = (configuration.http.connections, configuration.listening.workers)
  let allowed = HTTPLimits.connections(wanted: wanted, loops: loops) * loops
  guard allowed < wanted / loops * loops else { return }
  logger.log(.warning, "Fewer connections than HTTP_CONNECTIONS: the limit on file descriptors allows no more") {
    $0.field("connections", allowed)
    $0.field("descriptors", DescriptorLimit.current)
  }
}
