import Reactor
import Testing

@testable import Insights

/// Over real sockets, in one server of their own: the circuits of a process are shared by its tests.
@Suite("Providers of insights", .blocking, .serialized)
struct ProvidersTests {
  private static let setUp = Result {
    let models = try ModelServer()
    let server = try LiveServer([
      "OPENAI_BASE_URL": "http://127.0.0.1:\(models.port)/v1", "OPENAI_API_KEY": "sk-test",
      "ANTHROPIC_BASE_URL": "http://127.0.0.1:\(models.port)", "ANTHROPIC_API_KEY": "sk-ant-test",
      "INSIGHTS_TIMEOUT_SECONDS": "1",
    ])
    return (models: models, server: server)
  }
  private let models: ModelServer
  private let server: LiveServer

  init() throws { (models, server) = try Self.setUp.get() }

  private func ask(_ provider: String, headers: [String] = []) throws -> Reply { try question(provider, headers)() }

  /// Prepares a question for `provider`, which the result sends.
  private func question(_ provider: String, _ headers: [String] = []) throws -> () throws -> Reply {
    let (client, id) = try server.signedIn()
    let plot = try Plot(server, owner: id)
    try plot.record("soil_moisture", [(0, 12), (1, 13)])
    let body = #"{"type":"watering","provider":"\#(provider)"}"#
    return { try client.post("/api/gardens/\(plot.garden)/insights", body, headers: headers) }
  }

  /// The number of watering insights in the metrics, by provider and success.
  private func counted(_ provider: String, _ success: Bool) throws -> Int {
    let labels = #"insight_type="watering",model_provider="\#(provider)",success="\#(success)""#
    return try server.metric("ai_insights_generated_total{\(labels)}")
  }

  @Test("word what the rules found", arguments: ["openai", "anthropic"])
  func success(provider: String) throws {
    let words = "Give the north bed water this evening."
    models.script([.json(200, provider == "openai" ? WireFormat.openAI(words) : WireFormat.anthropic(words))])
    let before = try counted(provider, true)
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    let reply = try ask(provider, headers: ["traceparent: \(trace)", "tracestate: rojo=1", "tracestate: congo=2"])
    #expect(reply.status == 201)
    let insight = try reply.json
    #expect(insight["provider"]?.text == provider)
    #expect(insight["text"]?.text == words)
    #expect(insight["severity"]?.text == "warning")
    #expect(insight["evidence"]?["probes"]?.elements?.count == 1)
    #expect(try counted(provider, true) == before + 1)

    let request = try #require(models.received.first)
    #expect(request.line == "POST \(provider == "openai" ? "/v1/chat/completions" : "/v1/messages") HTTP/1.1")
    #expect(request.headers[provider == "openai" ? "authorization" : "x-api-key"]?.hasSuffix("-test") == true)
    #expect(request.headers["content-type"] == "application/json")
    let traceparent = try #require(request.headers["traceparent"])
    #expect(traceparent.hasPrefix("00-0af7651916cd43dd8448eb211c80319c-"))
    #expect(!traceparent.contains("b7ad6b7169203331"))
    #expect(request.headers["tracestate"] == "rojo=1,congo=2")
  }

  @Test("are asked a limited number of times for each user, not counting repeated keys and questions without data")
  func bound() throws {
    models.script((0..<3).map { _ in .json(200, WireFormat.openAI("Water.")) })
    let address = "http://127.0.0.1:\(models.port)/v1"
    let frugal = try server.replica([
      "OPENAI_BASE_URL": address, "OPENAI_API_KEY": "sk-test", "RATE_LIMIT_MODELS": "2/3600",
    ])
    defer { frugal.stop() }
    func grower() throws -> (_ provider: String, _ type: String, _ headers: [String]) throws -> Reply {
      let (client, id) = try frugal.signedIn()
      let plot = try Plot(frugal, owner: id)
      try plot.record("soil_moisture", [(0, 12), (1, 13)])
      return { provider, type, headers in
        let body = #"{"type":"\#(type)","provider":"\#(provider)"}"#
        return try client.post("/api/gardens/\(plot.garden)/insights", body, headers: headers)
      }
    }
    let (one, other) = (try grower(), try grower())
    let key = ["Idempotency-Key: once"]
    for _ in 0..<3 { #expect(try one("openai", "watering", key).status == 201) }
    #expect(try one("openai", "frost", []).problem == "no-data")
    #expect(try one("openai", "watering", []).status == 201)
    let refused = try one("openai", "watering", [])
    #expect(refused.status == 429 && refused.problem == "too-many-requests")
    #expect(Int(refused.header("retry-after") ?? "") ?? 0 > 60)
    #expect(models.received.count == 2)
    #expect(try one("openai", "watering", key).status == 201)
    #expect(try one("rules", "watering", []).status == 201)
    #expect(try other("openai", "watering", []).json["provider"]?.text == "openai")
    #expect(models.received.count == 3)
  }

  @Test("answer a few questions of a user at a time, and those of others all the same")
  func share() throws {
    let (words, most) = (WireFormat.openAI("Water."), InsightFeature.maximumQuestionsOfUser)
    models.script(Array(repeating: .slow(5, words), count: most) + [.json(200, words)])
    let patient = try server.replica([
      "OPENAI_BASE_URL": "http://127.0.0.1:\(models.port)/v1", "OPENAI_API_KEY": "sk-test",
      "INSIGHTS_TIMEOUT_SECONDS": "60",
    ])
    defer { patient.stop() }
    let body = #"{"type":"watering","provider":"openai"}"#
    func grower() throws -> (client: Client, path: String) {
      let (client, id) = try patient.signedIn()
      let plot = try Plot(patient, owner: id)
      try plot.record("soil_moisture", [(0, 12), (1, 13)])
      return (client, "/api/gardens/\(plot.garden)/insights")
    }
    let (one, other) = (try grower(), try grower())
    let token = try #require(one.client.token)
    func begin() throws -> Wire {
      let wire = try Wire(port: patient.port)
      try wire.send(
        """
        POST \(one.path) HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer \(token)\r\n\
        Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)
        """)
      return wire
    }
    let wires = try (0..<most).map { _ in try begin() }
    #expect(holds { models.received.count == most })
    let refused = try one.client.post(one.path, body)
    #expect(refused.status == 429 && refused.header("retry-after") == "1")
    #expect(try other.client.post(other.path, body).json["provider"]?.text == "openai")
    for wire in wires { #expect(try wire.receive().json["provider"]?.text == "openai") }
    #expect(models.received.count == most + 1)
  }

  /// Many times longer than the server waits, so that the time taken shows that it did not wait for the answer.
  private static let slowSeconds = 20.0

  @Test("are replaced by the rules if they refuse, are slow, cut the connection or answer nonsense")
  func failures() throws {
    let good = WireFormat.openAI("Water.")
    var answers = WireFormat.openAIErrors.map { ModelServer.Answer.json($0.0, $0.1) }
    answers += [.slow(Self.slowSeconds, good), .json(200, "not JSON"), .cut(after: 120, good), .cut(after: 0, good)]
    for answer in answers {
      // A success in between keeps the circuit closed.
      models.script([.json(200, good)])
      #expect(try ask("openai").json["provider"]?.text == "openai")
      models.script([answer])
      let before = (try counted("openai", false), try counted("rules", true))
      let question = try question("openai")
      let (reply, duration) = try ContinuousClock().timed(question)
      #expect(reply.status == 201)
      #expect(try reply.json["provider"]?.text == "rules")
      #expect(try reply.json["text"]?.text?.contains("North bed is at") == true)
      #expect(duration < .seconds(Self.slowSeconds / 2))
      #expect(models.received.count == 1)
      #expect(try counted("openai", false) == before.0 + 1)
      #expect(try counted("rules", true) == before.1 + 1)
    }
    let cause = server.log.lines.first { $0.contains("Incorrect API key provided") }
    #expect(cause?.contains("A language model returned no insight") == true)
  }

  @Test("stay there for all users whatever one of them asks that a provider refuses or leaves unanswered")
  func questions() throws {
    let answers: [ModelServer.Answer] = (0..<6).map { number in
      number % 2 == 0
        ? .json(400, #"{"error":{"message":"This model's maximum context length is 8192 tokens."}}"#)
        : .json(200, WireFormat.openAI("x", reason: "content_filter"))
    }
    models.script(answers + [.json(200, WireFormat.openAI("Water."))])
    for _ in answers { #expect(try ask("openai").json["provider"]?.text == "rules") }
    #expect(try ask("openai").json["provider"]?.text == "openai")
    #expect(models.received.count == answers.count + 1)
  }

  @Test("are left alone for a while after five failures in a row, by all loops")
  func circuit() throws {
    let errors = WireFormat.anthropicErrors + WireFormat.anthropicErrors
    models.script([.json(200, WireFormat.anthropic("Water."))])
    _ = try ask("anthropic")
    models.script(errors.map { .json($0.0, $0.1) })
    for _ in 0..<5 { #expect(try ask("anthropic").json["provider"]?.text == "rules") }
    #expect(models.received.count == 5)
    let opened = Clock.monotonic()
    for _ in 0..<6 {
      let before = try counted("anthropic", false)
      #expect(try ask("anthropic").json["provider"]?.text == "rules")
      #expect(try counted("anthropic", false) == before + 1)
    }
    // On a machine that is too busy for six answers in half a minute, another attempt is made.
    if Clock.monotonic() - opened < CircuitBreaker.openNanoseconds { #expect(models.received.count == 5) }
  }
}

extension ContinuousClock {
  fileprivate func timed<Value>(_ body: () throws -> Value) rethrows -> (Value, Duration) {
    let start = now
    let value = try body()
    return (value, now - start)
  }
}
