import Settings
import Telemetry
import Values

extension Command {
  /// How long the health check waits for its answer.
  static let healthcheckMilliseconds = 2_000

  /// `terroir healthcheck`: asks the server on this machine, for a container's health check.
  package static let healthcheck = Command(
    "healthcheck",
    options: [
      Option("--path", value: "PATH", "The path to ask for instead of /readyz."),
      Option("--url", value: "URL", "The server to ask, instead of the one on this machine."),
      Option("--kill-after", value: "SECONDS", "Kills the server with SIGKILL once it has not answered for SECONDS."),
    ],
    "Asks the server on this machine whether it is ready; exit code 0 if it is, else 1.",
    body: .configured { configuration, invocation in
      guard let url = healthcheckURL(configuration, invocation) else {
        throw CommandFault.misuse("--url must be a URL such as http://127.0.0.1:3000")
      }
      let mute = try muteServer(configuration, invocation)
      let answer: PlainHTTP.Answer
      do throws(PlainHTTP.Failure) {
        answer = try PlainHTTP.send(PlainHTTP.Request(url: url), timeoutMilliseconds: healthcheckMilliseconds)
      } catch {
        invocation.console.complain("\(url): \(error)\n")
        for process in mute?.failed(error) ?? [] { invocation.console.complain("Killed the mute server \(process).\n") }
        return ExitCode.failure
      }
      mute?.answered()
      try invocation.console.write("\(url) answers \(answer.status)\n")
      return answer.status == 200 ? ExitCode.success : ExitCode.failure
    })

  /// `terroir config`: shows the effective configuration, or the table of all settings.
  package static let config = Command(
    "config", options: [Option("--markdown", "Prints a table of all settings instead.")],
    "Checks the configuration and prints what is in effect, with secrets masked.",
    body: .plain { invocation in
      if invocation.options["--markdown"] != nil {
        try invocation.console.write(Configuration.markdown)
        return ExitCode.success
      }
      return try invocation.withConfiguration { configuration in
        try invocation.console.write(configuration.text)
        for warning in configuration.warnings { invocation.console.complain("warning: \(warning)\n") }
        return ExitCode.success
      }
    })

  /// `terroir version`: shows version, revision and compiler.
  package static let version = Command(
    "version", "Prints version, revision and compiler.",
    body: .plain { invocation in
      // An empty variable counts as not set here too; a faulty configuration does not hide the version.
      let variables = invocation.environment.variables.filter { !$0.value.isEmpty }
      let version = variables["SERVICE_VERSION"] ?? Version.number
      let revision = variables["REVISION"] ?? variables["SOURCE_REVISION"] ?? Version.revision
      try invocation.console.write("terroir \(version) (revision \(revision), Swift \(Version.swift))\n")
      return ExitCode.success
    })

  private static func muteServer(
    _ configuration: Configuration, _ invocation: Invocation
  ) throws(CommandFault) -> MuteServer? {
    guard let text = invocation.options["--kill-after"] else { return nil }
    guard invocation.options["--url"] == nil else {
      throw .misuse("--kill-after is for this machine's server")
    }
    guard let seconds = Int(digits: text), (1...86_400).contains(seconds) else {
      throw .misuse("--kill-after must be 1 to 86400 seconds")
    }
    return MuteServer(port: configuration.listening.port, limitSeconds: seconds)
  }

  private static func healthcheckURL(_ configuration: Configuration, _ invocation: Invocation) -> ServiceURL? {
    let path = invocation.options["--path"] ?? "/readyz"
    if let text = invocation.options["--url"] {
      return ServiceURL(text).flatMap { $0.scheme == "http" ? $0.appending(path: path) : nil }
    }
    let listening = configuration.listening
    let isEverywhere = listening.host == "0.0.0.0" || listening.host == "::"
    return ServiceURL(
      scheme: "http", host: isEverywhere ? "127.0.0.1" : listening.host, port: listening.port, path: path)
  }
}

extension Command.Invocation {
  /// Runs a body with the configuration, or shows every fault of it and returns exit code 78.
  func withConfiguration(_ body: (Configuration) throws -> Int32) throws -> Int32 {
    let configuration: Configuration
    do throws(ConfigurationFaults) {
      configuration = try Configuration.load(environment)
    } catch {
      let count = error.faults.count
      console.complain("The configuration has \(count == 1 ? "a fault" : "\(count) faults"):\n")
      for fault in error.faults { console.complain("  \(fault)\n") }
      return ExitCode.configuration
    }
    return try body(configuration)
  }
}
