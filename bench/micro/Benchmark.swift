/// Something small of the server that is measured by itself.
struct Benchmark: Sendable {
  let name: String
  /// How often it is done while instructions are counted: enough for what varies from run to run to drown.
  let iterations: Int
  /// Makes what it needs, and gives what does it so many times.
  let prepare: @Sendable () -> (Int) -> Void

  init(_ name: String, iterations: Int, _ prepare: @escaping @Sendable () -> (Int) -> Void) {
    self.name = name
    self.iterations = iterations
    self.prepare = prepare
  }

  /// Every benchmark, by subject.
  static let all = heads + routes + connections + json + metrics + logs

  /// Nanoseconds for each of so many times.
  func nanoseconds(_ iterations: Int) -> Double {
    let run = prepare()
    let duration = ContinuousClock().measure { run(iterations) }
    let (seconds, attoseconds) = duration.components
    return (Double(seconds) * 1e9 + Double(attoseconds) / 1e9) / Double(iterations)
  }
}
