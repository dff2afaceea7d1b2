import Glibc
import JSON
import Settings
import Values
import Watch

extension Command {
  /// `terroir watch`: looks at a server for a while, in any pipeline.
  package static let watch = Command(
    "watch",
    options: [
      Option("--url", value: "URL", isRequired: true, "The server to watch."),
      Option("--metrics", value: "URL", "The URL of its metrics, if not /metrics."),
      Option("--for", value: "TIME", "How long to watch; 10m by default."),
      Option("--every", value: "TIME", "The pause between two looks; 5s by default."),
      Option(
        "--max-error-ratio", value: "SHARE",
        "The largest share of the API's answers that may be 5xx; 0.01 by default."),
      Option("--max-p95", value: "TIME", "The largest duration of 95 % of the API's requests; 200ms by default."),
      Option("--min-requests", value: "COUNT", "The fewest requests that give a verdict; 50 by default."),
      Option(
        "--probe", value: "RATE", "Requests that the command itself sends per second; 2/s by default, 0/s for none."),
      Option("--compare", value: "URL", "The metrics URL of a server to compare with: twice as bad is worse."),
      Option("--json", "Prints the verdict as JSON."),
    ],
    """
    Watches a server by its own metrics: exit code 0 if it is fine, 1 if it breaks a limit, 3 if too little was seen \
    to tell.
    """,
    body: .plain { invocation in
      let lookout = try makeLookout(invocation)
      let outcome = lookout.run()
      if isatty(STDERR_FILENO) == 1 { invocation.console.complain("\r\u{1B}[K") }
      try invocation.console.write(
        (invocation.options["--json"] == nil ? outcome.verdict.sentence : outcome.json) + "\n")
      return switch outcome.verdict {
      case .fine: ExitCode.success
      case .worse: ExitCode.failure
      case .unclear: ExitCode.unclear
      }
    })

  private static func makeLookout(_ invocation: Invocation) throws(CommandFault) -> Lookout {
    guard let server = try url("--url", invocation) else { throw .misuse("--url is missing") }
    return Lookout(
      at: server, metrics: try url("--metrics", invocation) ?? server.appending(path: "/metrics"),
      baseline: try url("--compare", invocation), try demands(invocation)
    ) { line in
      // Only on a terminal: in a log each line would stay.
      if isatty(STDERR_FILENO) == 1 { invocation.console.complain("\r\(line)\u{1B}[K") }
    }
  }

  private static func demands(_ invocation: Invocation) throws(CommandFault) -> Demands {
    var demands = Demands()
    func read<Value>(
      _ option: String, into path: WritableKeyPath<Demands, Value>, _ wanted: String, _ parse: (String) -> Value?
    ) throws(CommandFault) {
      guard let text = invocation.options[option] else { return }
      guard let value = parse(text) else { throw .misuse("\(option) must be \(wanted)") }
      demands[keyPath: path] = value
    }
    try read("--for", into: \.seconds, "a time such as 10m", TimeSpan.seconds)
    try read("--every", into: \.pauseSeconds, "a time such as 5s", TimeSpan.seconds)
    try read("--max-p95", into: \.maximumP95, "a time such as 200ms", TimeSpan.seconds)
    try read("--max-error-ratio", into: \.maximumErrorRatio, "a share of 0 to 1") { text in
      Double(text).flatMap { (0...1).contains($0) ? $0 : nil }
    }
    try read("--min-requests", into: \.minimumRequests, "a count of 1 to 1000000") { text in
      Int(digits: text).flatMap { (1...1_000_000).contains($0) ? $0 : nil }
    }
    try read("--probe", into: \.probesPerSecond, "a rate of 0/s to 100/s") { text in
      guard text.hasSuffix("/s"), let count = Int(digits: text.dropLast(2)), count <= 100 else { return nil }
      return Double(count)
    }
    guard demands.pauseSeconds <= demands.seconds else { throw .misuse("--every is longer than --for") }
    return demands
  }

  private static func url(_ option: String, _ invocation: Invocation) throws(CommandFault) -> ServiceURL? {
    guard let text = invocation.options[option] else { return nil }
    guard let url = ServiceURL(text), url.scheme == "http" else {
      throw .misuse("\(option) must be a URL such as http://127.0.0.1:3000")
    }
    return url
  }
}

extension Lookout.Outcome {
  /// An object with the verdict and the figures that it rests on.
  fileprivate var json: String {
    var json = JSONWriter()
    json.object { json in
      json.member("verdict", verdict.word)
      json.member("reason", verdict.reason)
      json.member("seconds", seconds)
      Self.write(traffic, to: &json)
      json.key("clients")
      json.object { Self.write(clients, to: &$0) }
      if let baseline {
        json.key("baseline")
        json.object { Self.write(baseline, to: &$0) }
      }
    }
    return String(decoding: json.bytes, as: UTF8.self)
  }

  private static func write(_ traffic: Traffic, to json: inout JSONWriter) {
    json.member("requests", Int64(traffic.requests))
    json.member("failures", Int64(traffic.failures))
    json.member("errorRatio", traffic.errorRatio)
    json.member("p95Seconds", ifPresent: traffic.p95.flatMap { $0.isFinite ? $0 : nil })
  }
}
