import JSON
import Outbound
import Settings

/// Anthropic's Messages API.
struct Anthropic: LanguageModel {
  static let version = "2023-06-01"

  let settings: Configuration.Provider
  let timeoutSeconds: Double

  func request(_ prompt: Prompt) -> OutboundRequest {
    var json = JSONWriter()
    json.object { json in
      json.member("model", settings.model)
      json.member("max_tokens", Prompt.maximumTokens)
      json.member("system", Prompt.instructions)
      json.key("messages")
      json.array { json in
        json.object { json in
          json.member("role", "user")
          json.member("content", prompt.question)
        }
      }
    }
    var headers = [
      (name: "Content-Type", value: "application/json"), (name: "anthropic-version", value: Self.version),
    ]
    if let key = settings.apiKey { headers.append((name: "x-api-key", value: key)) }
    return OutboundRequest(
      method: "POST", url: settings.baseURL.appending(path: "/v1/messages").description, headers: headers,
      body: json.take(), timeoutSeconds: timeoutSeconds)
  }

  func text(_ answer: JSONValue) throws(ModelFault) -> String {
    let reason = answer.member("stop_reason")?.stringText ?? "end_turn"
    guard reason == "end_turn" || reason == "stop_sequence" else {
      throw ModelFault("the answer ended by \(reason)", isOfQuestion: true)
    }
    let blocks = answer.member("content")?.elementList ?? []
    let texts = blocks.filter { $0.member("type")?.stringText == "text" }.compactMap { $0.member("text")?.stringText }
    guard !texts.isEmpty else { throw ModelFault("there is no text in the content", isOfQuestion: true) }
    return texts.joined()
  }

  func complaint(_ error: JSONValue) -> String? {
    guard let error = error.member("error") else { return nil }
    return [error.member("type"), error.member("message")].compactMap { $0?.stringText }.joined(separator: ", ")
  }
}
