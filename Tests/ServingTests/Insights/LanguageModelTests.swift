import Agronomy
import JSON
import Testing
import Values

@testable import Insights
@testable import Outbound
@testable import Settings

/// The answers of the providers, as their references document them.
enum WireFormat {
  static func openAI(_ content: String, reason: String = "stop") -> String {
    """
    {"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion","created":1741569952,
    "model":"gpt-4.1-mini-2025-04-14","choices":[{"index":0,"message":{"role":"assistant","content":"\(content)",
    "refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"\(reason)"}],
    "usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29},"service_tier":"default"}
    """
  }

  static func anthropic(_ text: String, reason: String = "end_turn") -> String {
    """
    {"id":"msg_013Zva2CMHLNnXjNJJKqJ2EF","type":"message","role":"assistant","model":"claude-haiku-4-5-20251001",
    "content":[{"type":"text","text":"\(text)"}],"stop_reason":"\(reason)","stop_sequence":null,
    "usage":{"input_tokens":2095,"output_tokens":503}}
    """
  }

  static let openAIErrors = [
    (
      401,
      #"{"error":{"message":"Incorrect API key provided.","type":"invalid_request_error","code":"invalid_api_key"}}"#
    ),
    (429, #"{"error":{"message":"Rate limit reached.","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#),
    (500, #"{"error":{"message":"The server had an error.","type":"server_error","param":null,"code":null}}"#),
  ]

  static let anthropicErrors = [
    (401, #"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#),
    (429, #"{"type":"error","error":{"type":"rate_limit_error","message":"Number of requests exceeded"}}"#),
    (529, #"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#),
  ]
}

@Suite("Language models")
struct LanguageModelTests {
  private static func provider(_ base: String) -> Configuration.Provider {
    var settings = Configuration.Provider()
    settings.baseURL = ServiceURL(base)!
    settings.apiKey = "secret"
    settings.model = "the-model"
    settings.isConfigured = true
    return settings
  }

  private static let openAI = OpenAI(settings: provider("https://example.org/v1/"), timeoutSeconds: 10)
  private static let anthropic = Anthropic(settings: provider("https://example.org"), timeoutSeconds: 10)
  private static let prompt = Prompt(
    type: .watering, garden: "Herbs \"and\" more",
    finding: Finding(.warning, "Water now: A", "A is at 12 %.") { $0.member("level", 12.5) })

  private static func answer(_ status: Int = 200, _ body: String) -> OutboundResponse {
    OutboundResponse(status: status, headers: [:], body: Array(body.utf8))
  }

  @Test("are asked in OpenAI's wire format")
  func openAIRequest() throws {
    let request = Self.openAI.request(Self.prompt)
    #expect(request.method == "POST")
    #expect(request.url == "https://example.org/v1/chat/completions")
    #expect(request.headers.contains { $0 == ("Authorization", "Bearer secret") })
    let body = try JSONReader.parse(request.body)
    #expect(body["model"]?.text == "the-model")
    #expect(body["messages"]?.elements?.map { $0["role"]?.text } == ["system", "user"])
    let question = try JSONReader.parse(Array((body["messages"]?.elements?.last?["content"]?.text ?? "").utf8))
    #expect(question["garden"]?.text == "Herbs \"and\" more")
    #expect(question["evidence"]?["level"]?.number == 12.5)
  }

  @Test("are asked in Anthropic's wire format")
  func anthropicRequest() throws {
    let request = Self.anthropic.request(Self.prompt)
    #expect(request.url == "https://example.org/v1/messages")
    #expect(request.headers.contains { $0 == ("x-api-key", "secret") })
    #expect(request.headers.contains { $0 == ("anthropic-version", "2023-06-01") })
    let body = try JSONReader.parse(request.body)
    #expect(body["max_tokens"]?.integer ?? 0 > 0)
    #expect(body["system"]?.text == Prompt.instructions)
    #expect(body["messages"]?.elements?.map { $0["role"]?.text } == ["user"])
  }

  @Test("answer with text")
  func answers() throws {
    #expect(try Self.openAI.text(Self.answer(200, WireFormat.openAI(#" Water\nit. "#))) == "Water\nit.")
    #expect(try Self.anthropic.text(Self.answer(200, WireFormat.anthropic("Water it."))) == "Water it.")
  }

  @Test(
    "are not believed if an answer is incomplete, not text, empty, too long or has control characters",
    arguments: [
      ("", "not JSON"), ("{}", "no choice"), (#"{"choices":[]}"#, "no choice"), (#"{"choices":[{}]}"#, "no content"),
      (#"{"choices":[{"message":{"content":null}}]}"#, "no content"), (WireFormat.openAI("  "), "empty"),
      (WireFormat.openAI("x", reason: "length"), "ended by length"),
      (WireFormat.openAI("x", reason: "content_filter"), "ended by content_filter"),
      (WireFormat.openAI(String(repeating: "x", count: 4_001)), "too long"),
      (WireFormat.openAI(#"a\u0007b"#), "control characters"), (String(WireFormat.openAI("x").dropLast()), "not JSON"),
    ])
  func unusable(body: String, fault: String) {
    let error = #expect(throws: ModelFault.self) { try Self.openAI.text(Self.answer(200, body)) }
    #expect(error?.description.contains(fault) == true)
  }

  @Test(
    "of Anthropic are not believed then either",
    arguments: [
      ("[]", "no text"), (#"{"content":[{"type":"tool_use","id":"x"}],"stop_reason":"tool_use"}"#, "ended by tool_use"),
      (WireFormat.anthropic("x", reason: "max_tokens"), "ended by max_tokens"),
      (WireFormat.anthropic("x", reason: "refusal"), "ended by refusal"), (WireFormat.anthropic(""), "empty"),
    ])
  func unusableOfAnthropic(body: String, fault: String) {
    let error = #expect(throws: ModelFault.self) { try Self.anthropic.text(Self.answer(200, body)) }
    #expect(error?.description.contains(fault) == true)
  }

  @Test(
    "are at fault where other questions would fail too, and not where this one is",
    arguments: [
      (400, "{}", true), (413, "", true), (422, "{}", true),
      (200, WireFormat.openAI("x", reason: "content_filter"), true),
      (200, WireFormat.openAI("x", reason: "length"), true), (200, WireFormat.openAI(""), true),
      (200, #"{"choices":[{"message":{"content":null}}]}"#, true), (200, "{}", false), (200, "not JSON", false),
      (401, "{}", false), (404, "{}", false), (429, "{}", false), (500, "", false),
    ] as [(Int, String, Bool)])
  func origin(status: Int, body: String, isOfQuestion: Bool) {
    let error = #expect(throws: ModelFault.self) { try Self.openAI.text(Self.answer(status, body)) }
    #expect(error?.isOfQuestion == isOfQuestion)
  }

  @Test("are sent no evidence that is longer than is worth its price")
  func longEvidence() throws {
    for (length, isSent) in [(100, true), (Prompt.maximumEvidenceBytes, false)] {
      let finding = Finding(.notice, "Silent: A", "A has been silent for 45 minutes.") {
        $0.member("silent", String(repeating: "x", count: length))
      }
      let prompt = Prompt(type: .anomaly, garden: "Herbs", finding: finding)
      let question = try JSONReader.parse(Array(prompt.question.utf8))
      #expect(question["rules"]?.text == finding.text && (question["evidence"] != nil) == isSent)
    }
  }

  @Test("report why they refused")
  func errors() {
    for (status, body) in WireFormat.openAIErrors {
      let error = #expect(throws: ModelFault.self) { try Self.openAI.text(Self.answer(status, body)) }
      #expect(error?.description.contains("status \(status): ") == true)
    }
    let error = #expect(throws: ModelFault.self) {
      try Self.anthropic.text(Self.answer(WireFormat.anthropicErrors[0].0, WireFormat.anthropicErrors[0].1))
    }
    #expect(error?.description == "status 401: authentication_error, invalid x-api-key")
    #expect(throws: ModelFault.self) { try Self.anthropic.text(Self.answer(502, "<html>Bad gateway</html>")) }
  }
}
