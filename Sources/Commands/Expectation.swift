/// What may follow the words of a command line that were typed so far: what every shell's completion is made of.
struct Expectation {
  /// A word that may come next.
  struct Candidate {
    let word: String
    let meaning: String
  }

  /// The words before, without options.
  let words: [String]
  /// Whether a command's operands may stand between those and the next word.
  let isOpen: Bool
  let candidates: [Candidate]
  /// The options of these that want a value behind them.
  let valued: [String]

  /// Returns all that may be expected of a program with these commands, those with more words first.
  static func all(of commands: [Command]) -> [Expectation] {
    let levels = [[]] + commands.map(\.words).filter { $0.count > 1 }.map { Array($0.dropLast()) }.unique
    let places =
      levels.map { Expectation(words: $0, isOpen: false, candidates: next(behind: $0, commands), valued: []) }
      + [Expectation(words: ["help"], isOpen: false, candidates: next(behind: [], commands), valued: [])]
      + commands.map(Expectation.init)
    return places.sorted { $0.words.count > $1.words.count }
  }

  /// The next words that may follow `words`, and `help` at the very beginning.
  private static func next(behind words: [String], _ commands: [Command]) -> [Candidate] {
    let rest = commands.filter { $0.words.starts(with: words) && $0.words.count > words.count }
    let names = rest.map { $0.words[words.count] }.unique
    let candidates = names.map { name in
      let those = rest.filter { $0.words[words.count] == name }
      let isWhole = those.count == 1 && those[0].words.count == words.count + 1
      return Candidate(word: name, meaning: isWhole ? those[0].summary : "Has commands of its own.")
    }
    return words.isEmpty ? candidates + [Candidate(word: "help", meaning: "Shows how a command is used.")] : candidates
  }
}

extension Expectation {
  /// The options of a command, and what its operand may be where that is one of a few.
  fileprivate init(_ command: Command) {
    let operands = command.operands.flatMap { $0.contains("|") ? $0.split(separator: "|").map(String.init) : [] }
    self.init(
      words: command.words, isOpen: true,
      candidates: operands.map { Candidate(word: $0, meaning: "") }
        + command.options.map { Candidate(word: $0.name, meaning: $0.meaning) }
        + [Candidate(word: "--help", meaning: "Shows how it is used.")],
      valued: command.options.filter { $0.value != nil }.map(\.name))
  }
}

extension Array where Element: Equatable {
  /// The elements in their order, each the first time only.
  fileprivate var unique: [Element] { reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
}
