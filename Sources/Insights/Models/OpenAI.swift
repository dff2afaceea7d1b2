import JSON
import Outbound
import Settings

/// OpenAI's Chat Completions API, which many other servers speak as well.
struct OpenAI: LanguageModel {
  let settings: Configuration.Provider
  let timeoutSeconds: Double

  func request(_ prompt: Prompt) -> OutboundRequest {
    var json = JSONWriter()
    json.object { json in
      json.member("model", settings.model)
      json.member("max_completion_tokens", Prompt.maximumTokens)
      json.key("messages")
      json.array { json in
        for (role, content) in [("system", Prompt.instructions), ("user", prompt.question)] {
          json.object { json in
            json.member("role", role)
            json.member("content", content)
          }
        }
      }
    }
    var headers = [(name: "Content-Type", value: "application/json")]
    if let key = settings.apiKey { headers.append((name: "Authorization", value: "Bearer \(key)")) }
    return OutboundRequest(
      method: "POST", url: settings.baseURL.appending(path: "/chat/completions").description, headers: headers,
      body: json.take(), timeoutSeconds: timeoutSeconds)
  }

  func text(_ answer: JSONValue) throws(ModelFault) -> String {
    guard let choice = answer.member("choices")?.elementList.first else { throw ModelFault("there is no choice") }
    let reason = choice.member("finish_reason")?.stringText ?? "stop"
    guard reason == "stop" else { throw ModelFault("the answer ended by \(reason)", isOfQuestion: true) }
    guard let text = choice.member("message")?.member("content")?.stringText else {
      throw ModelFault("the message has no content", isOfQuestion: true)
    }
    return text
  }

  func complaint(_ error: JSONValue) -> String? {
    guard let error = error.member("error") else { return nil }
    let words = [error.member("type"), error.member("code"), error.member("message")]
    return words.compactMap { $0?.stringText }.joined(separator: ", ")
  }
}
