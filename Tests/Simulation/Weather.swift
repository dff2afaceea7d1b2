import TestSupport

/// What befalls a simulated store: how likely each fault is, drawn anew for each seed, so that some seeds see one
/// fault alone and others all of them.
struct Weather {
  /// A connection ends before its statements are run.
  var loss = 0.0
  /// A connection ends after the commit, before or within the answer.
  var lostAnswer = 0.0
  /// The server refuses a statement for a reason that passes.
  var refusal = 0.0
  /// An answer comes later than anybody waits.
  var delay = 0.0
  /// Each second: the server is gone, and refuses connections for a while.
  var outage = 0.0
  /// Each second: the server stands still for a while, and answers everything late.
  var freeze = 0.0
  /// A request brings a value that the server can never store.
  var poison = 0.0

  static let fair = Weather()

  /// Whether whoever sends a statement always hears what became of it.
  var leavesNoDoubt: Bool { [loss, lostAnswer, delay, outage, freeze].allSatisfy { $0 == 0 } }

  /// Whether nothing goes wrong but for what cannot be stored.
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
