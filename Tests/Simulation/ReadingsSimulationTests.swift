import Glibc
import Reactor
import Testing

@testable import Gardens

/// The seeds of the simulation: `SEED` alone, or those from 1 to `SEEDS` (100 by default), as `scripts/simulate` sets
/// them.
private let seeds: [UInt64] = {
  func number(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }
  if let seed = number("SEED") { return [seed] }
  return Array(1...(number("SEEDS") ?? 100))
}()

@Suite("Readings, whatever happens to the store,")
struct ReadingsSimulationTests {
  @Test("are stored if their sender was told so, never twice, and no sender is left waiting")
  func nothingIsLost() throws {
    var (verdicts, refused, lostAnswers) = (0, 0, 0)
    for seed in seeds {
      let simulation = try run(seed)
      check(simulation, seed)
      verdicts += simulation.verdicts.values.reduce(0) { $0 + $1.count }
      refused += simulation.refused
      lostAnswers += simulation.store.lostAnswers
    }
    // A simulation in which nothing happens proves nothing.
    if seeds.count > 1 { #expect(verdicts > 0 && refused > 0 && lostAnswers > 0) }
  }

  private func check(_ simulation: ReadingsSimulation, _ seed: UInt64) {
    let hint: Comment = "make simulate SEED=\(seed)"
    let table = simulation.store.table
    #expect(simulation.waiting == 0, hint)
    #expect(table.counted == table.countable, hint)
    for (key, verdicts) in simulation.verdicts {
      let stored = table.rows[key]?.value
      for (value, verdict) in verdicts {
        #expect(verdict == .conflict ? stored != nil && stored != value : stored == value, hint)
      }
      // If no request with the reading was refused, one of them was answered that it is new.
      if !simulation.doubtful.contains(key) { #expect(verdicts.contains { $0.1 == .accepted }, hint) }
      // Where an answer may be lost, two requests with the same reading may both be answered that it is new.
      if simulation.weather.leavesNoDoubt { #expect(verdicts.count(where: { $0.1 == .accepted }) <= 1, hint) }
    }
    // The poison of one request must not cause others to be refused.
    if simulation.weather.isCalm { #expect(simulation.refused == 0, hint) }
    #expect(!table.rows.values.contains { $0.value == SimulatedStore.poison }, hint)
  }

  @Test("are new to one of their senders only, although statements are refused that look for them")
  func refusals() throws {
    var weather = Weather.fair
    weather.refusal = 0.2
    for seed in 1...20 as ClosedRange<UInt64> {
      let simulation = try run(seed, weather)
      #expect(simulation.refused > 0)
      check(simulation, seed)
    }
  }

  @Test("fare the same each time with the same seed", arguments: [1, 2, 3] as [UInt64])
  func repeats(seed: UInt64) throws {
    let (one, other) = (try run(seed), try run(seed))
    #expect(one.store.history == other.store.history)
    #expect(!one.store.history.isEmpty)
    #expect(one.refused == other.refused)
    #expect(one.verdicts.keys == other.verdicts.keys)
  }

  /// Runs the simulation of `seed` on its own thread, as a loop needs.
  private func run(_ seed: UInt64, _ weather: Weather? = nil) throws -> ReadingsSimulation {
    nonisolated(unsafe) var result: Result<ReadingsSimulation, any Error>?
    let thread = try SystemThread(name: "simulation") {
      result = Result {
        let simulation = try ReadingsSimulation(seed: seed, weather)
        try simulation.run()
        return simulation
      }
    }
    thread.join()
    return try #require(result).get()
  }
}
