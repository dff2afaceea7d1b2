import JSON
import Outbound
import Values

/// A provider's HTTP API: makes its requests and reads its answers, without any I/O.
protocol LanguageModel: Sendable {
  /// Returns the request that asks for a prompt to be answered.
  func request(_ prompt: Prompt) -> OutboundRequest
  /// Returns the text of a whole answer with status 200; throws `ModelFault` for anything that is not complete.
  func text(_ answer: JSONValue) throws(ModelFault) -> String
  /// What an error's body says, for the log; nil when it has not the provider's form.
  func complaint(_ error: JSONValue) -> String?
}

/// Why a model's answer cannot be used.
struct ModelFault: Error, CustomStringConvertible {
  /// The most characters of a provider's own words that are kept.
  static let maximumLength = 300

  /// For the log only.
  let description: String
  /// Whether it lies in what was asked, such as names that the provider will not speak of: other questions may well be
  /// answered.
  let isOfQuestion: Bool

  init(_ description: String, isOfQuestion: Bool = false) {
    self.description = String(description.prefix(Self.maximumLength))
    self.isOfQuestion = isOfQuestion
  }
}

extension LanguageModel {
  /// The longest text that is accepted as an answer, in Unicode scalars; the instructions ask for far less.
  static var maximumTextLength: Int { 4_000 }

  /// The statuses by which a provider refuses a single request: malformed, or with more words than it takes.
  private static var refusals: Set<Int> { [400, 413, 422] }

  /// Reads an answer strictly: status, form, completeness, length, no control characters but line breaks.
  func text(_ response: OutboundResponse) throws(ModelFault) -> String {
    let document = try? JSONReader.parse(response.body)
    guard response.status == 200 else {
      let complaint = document.flatMap(complaint) ?? "no further words"
      throw ModelFault(
        "status \(response.status): \(complaint)", isOfQuestion: Self.refusals.contains(response.status))
    }
    guard let document else { throw ModelFault("the answer is not JSON") }
    let text = try text(document).trimmingWhitespace
    let scalars = text.unicodeScalars
    guard !scalars.isEmpty else { throw ModelFault("the answer is empty", isOfQuestion: true) }
    guard scalars.count <= Self.maximumTextLength else {
      throw ModelFault("the answer is too long", isOfQuestion: true)
    }
    guard scalars.allSatisfy({ $0.properties.generalCategory != .control || $0 == "\n" || $0 == "\t" }) else {
      throw ModelFault("the answer holds control characters", isOfQuestion: true)
    }
    return text
  }
}
