import Commands
import Glibc
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
      let logs = LogSink(style: configuration.logStyle)
      defer { _ = logs.close(deadlineMilliseconds: LogSink.flushMilliseconds) }
      do {
        let service = try Service(configuration, logs: logs)
        let logger = SharedLogger(logs)
        for warning in configuration.warnings { logger.log(.warning, warning) }
        try service.run { logger.log(.info, "Serving") }
        return ExitCode.success
      } catch let error as SystemError where error.code == EADDRINUSE {
        let listening = configuration.listening
        let metrics = listening.metricsPort == 0 ? "" : " or \(listening.metricsPort) (METRICS_PORT)"
        throw CommandFault(
          "port \(listening.port) (PORT)\(metrics) is in use on \(listening.host), perhaps by another terroir")
      } catch let error as SystemError where error.code == EADDRNOTAVAIL {
        throw CommandFault("this machine has no address \(configuration.listening.host) (HOST)")
      }
    })

  /// `terroir migrate`.
  package static let migrate = Command(
    "migrate",
    options: [
      Command.Option("--dry-run", "Prints the statements that the database still lacks, and runs none."),
      Command.Option("--sql", "Prints the statements of all migrations instead."),
    ],
    "Brings the database to this binary's schema.",
    body: .configured { configuration, invocation in
      if invocation.options["--sql"] != nil {
        invocation.console.write(Migration.all.map(\.script).joined(separator: "\n"))
        return ExitCode.success
      }
      if invocation.options["--dry-run"] != nil {
        let missing = try Database.standalone(configuration.pool, connectSeconds: 10) { database in
          try await Migrator(database: database).missing()
        }
        invocation.console.write(
          missing.isEmpty ? "-- The schema is up to date.\n" : missing.map(\.script).joined(separator: "\n"))
        return ExitCode.success
      }
      let names = try Database.standalone(configuration.pool, connectSeconds: 10) { database in
        try await database.requireOwnSessions()
        return try await Migrator(database: database).run()
      }
      invocation.console.write(
        names.isEmpty ? "The schema is up to date.\n" : "Migrated: \(names.joined(separator: ", ")).\n")
      return ExitCode.success
    })

  /// `terroir routes`.
  package static let routes = Command(
    "routes", options: [Command.Option("--openapi", "Prints the OpenAPI document instead.")],
    "Lists everything that is served.",
    body: .configured { configuration, invocation in
      if invocation.options["--openapi"] != nil {
        let document = try EndpointTable.withEndpoints(configuration) { endpoints in
          OpenAPIDocument(endpoints: endpoints, version: configuration.service.version).bytes()
        }
        invocation.console.write(String(decoding: document, as: UTF8.self) + "\n")
        return ExitCode.success
      }
      let rows = try EndpointTable.withEndpoints(configuration) { endpoints in
        endpoints.map { ("\($0.method.name) \($0.template)", "\($0.access): \($0.summary)") }
      }
      invocation.console.write(Command.columns(rows))
      return ExitCode.success
    })
}
