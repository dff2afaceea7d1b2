import Settings

/// One thing that the binary does: `terroir NAME`.
package struct Command: Sendable {
  /// Something that begins with two dashes; it may be left out, unless it is required.
  package struct Option: Sendable {
    /// With its dashes.
    let name: String
    /// What its value is called; nil for a mere switch.
    let value: String?
    /// Whether the command fails without it.
    let isRequired: Bool
    let meaning: String

    package init(_ name: String, value: String? = nil, isRequired: Bool = false, _ meaning: String) {
      self.name = name
      self.value = value
      self.isRequired = isRequired
      self.meaning = meaning
    }

    /// How it is written.
    var usage: String { name + (value.map { " \($0)" } ?? "") }
  }

  /// How a command was called.
  package struct Invocation: Sendable {
    /// The options that were given, with their values; a switch has an empty one.
    package internal(set) var options: [String: String] = [:]
    /// As many as the command declares.
    package internal(set) var operands: [String] = []
    /// All commands of the program.
    let commands: [Command]
    package let environment: RawEnvironment
    package let console: Console
  }

  /// What a command does; returns the exit code. An error that it throws is shown.
  package enum Body: Sendable {
    /// Needs no configuration.
    case plain(@Sendable (Invocation) throws -> Int32)
    /// Runs only with a valid configuration.
    case configured(@Sendable (Configuration, Invocation) throws -> Int32)
  }

  /// One word, or several.
  let name: String
  /// Names of what must follow, in capitals; or the words of which it is one, with bars between them.
  let operands: [String]
  let options: [Option]
  /// One sentence.
  let summary: String
  let body: Body

  package init(
    _ name: String, operands: [String] = [], options: [Option] = [], _ summary: String, body: Body
  ) {
    self.name = name
    self.operands = operands
    self.options = options
    self.summary = summary
    self.body = body
  }

  /// The words that name it.
  var words: [String] { name.split(separator: " ").map { String($0) } }

  /// Its name and what must follow.
  var usage: String { ([name] + operands + options.filter(\.isRequired).map(\.usage)).joined(separator: " ") }

  /// The text of `terroir NAME --help`.
  var help: String {
    var usage = "terroir \(self.usage)"
    for option in options where !option.isRequired { usage += " [\(option.usage)]" }
    var text = "\(summary)\n\nUsage: \(usage)\n"
    let rows = options.map { ($0.usage, $0.meaning) } + [("--help", "Shows this help.")]
    text += "\nOptions:\n" + Self.columns(rows)
    if case .configured = body {
      text += "\nConfigured by environment variables: see `terroir config`. Exit code 78 if one is wrong.\n"
    }
    return text
  }

  /// Two columns, the first as wide as it must be.
  package static func columns(_ rows: [(String, String)]) -> String {
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { "  \($0)\(String(repeating: " ", count: width - $0.count))  \($1)\n" }.joined()
  }
}
