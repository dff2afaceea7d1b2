/// Looks up the same names again and again for one loop, and falls back on the addresses found before: a name service
/// that is down must not keep anyone from servers that are up.
///
/// Calls that come while a look-up is in flight share it.
package final class RememberedNames {
  /// How long a look-up may take, in nanoseconds, before its callers get the addresses found before.
  package static let patienceNanoseconds: UInt64 = 1_000_000_000

  /// The addresses of each name, or why it has none.
  package typealias Answer = [Result<[String], NameResolver.Failure>]
  package typealias LookUp = ([String], EventLoop, @escaping (Answer) -> Void) -> Void

  private let names: [String]
  private let loop: EventLoop
  private let lookUp: LookUp
  private var remembered: Answer
  private var waiters: [(Answer) -> Void] = []
  private var isAsking = false
  private var patience: Timer?

  /// Makes a look-up of `names`; `lookUp` calls back on the loop, at once or later.
  package init(_ names: [String], on loop: EventLoop, lookUp: @escaping LookUp = NameResolver.resolve) {
    self.names = names
    self.loop = loop
    self.lookUp = lookUp
    remembered = names.map { .failure(NameResolver.Failure(description: "host \($0): not looked up yet")) }
  }

  /// Calls `found` on the loop with the addresses of each name, at once if nothing has to be looked up.
  package func resolve(_ found: @escaping (Answer) -> Void) {
    waiters.append(found)
    if patience == nil, remembered.contains(where: { (try? $0.get()) != nil }) {
      patience = loop.schedule(afterNanoseconds: Self.patienceNanoseconds) { self.answer() }
    }
    if isAsking { return }
    isAsking = true
    lookUp(names, loop) { [self] in
      isAsking = false
      for (index, result) in $0.enumerated() where (try? result.get()) != nil || (try? remembered[index].get()) == nil {
        remembered[index] = result
      }
      answer()
    }
  }

  private func answer() {
    if let patience { loop.cancel(patience) }
    patience = nil
    let asked = waiters
    waiters = []
    for waiter in asked { waiter(remembered) }
  }
}
