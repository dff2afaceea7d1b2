import TestSupport

/// The probabilities of the faults of a simulated store, drawn for each seed, so that some seeds see only one fault and
/// others all of them.
struct Weather {
  /// A connection ends before the statements of a segment are run.
  var loss = 0.0
  /// A connection ends after the commit, before or within the answer.
  var lostAnswer = 0.0
  /// The server refuses a statement for a transient reason.
  var refusal = 0.0
  /// An answer is one to six seconds late, which may be more than its client waits.
  var delay = 0.0
  /// Each second: the server goes away, and refuses connections for a while.
  var outage = 0.0
  /// Each second: the server freezes for a while, and answers everything after that.
  var freeze = 0.0
  /// A request brings a value that the server can never store.
  var poison = 0.0

  static let fair = Weather()

  /// Whether every sender of a statement learns its outcome.
  var leavesNoDoubt: Bool { [loss, lostAnswer, delay, outage, freeze].allSatisfy { $0 == 0 } }

  /// Whether nothing fails except what can never be stored.
  var isCalm: Bool { leavesNoDoubt && refusal == 0 }

  init() {}

  init(_ generator: inout SeededGenerator) {
    func draw(_ most: Double) -> Double {
      generator.happens(0.5) ? 0 : Double.random(in: 0..<most, using: &generator)
    }
    poison = draw(0.1)
    if generator.happens(0.15) { return }
    loss = draw(0.1)
    lostAnswer = draw(0.2)
    refusal = draw(0.2)
    delay = draw(0.05)
    outage = draw(0.3)
    freeze = draw(0.15)
  }
}
