/// A small part of the server that is measured alone.
struct Benchmark: Sendable {
  let name: String
  /// The number of iterations when instructions are counted: enough to drown what varies between runs.
  let iterations: Int
  /// Prepares what it needs, and returns a function that runs a number of iterations.
  let prepare: @Sendable () -> (Int) -> Void

  init(_ name: String, iterations: Int, _ prepare: @escaping @Sendable () -> (Int) -> Void) {
    self.name = name
    self.iterations = iterations
    self.prepare = prepare
  }

  /// Every benchmark, by subject.
  static let all = heads + routes + connections + json + metrics + logs

  /// Nanoseconds per iteration, over `iterations`.
  func nanoseconds(_ iterations: Int) -> Double {
    let run = prepare()
    let duration = ContinuousClock().measure { run(iterations) }
    let (seconds, attoseconds) = duration.components
    return (Double(seconds) * 1e9 + Double(attoseconds) / 1e9) / Double(iterations)
  }
}
