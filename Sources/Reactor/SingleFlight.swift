/// Loads a value once for all tasks of a loop that ask for it while it is being loaded.
package final class SingleFlight<Key: Hashable, Value> {
  private var flights: [Key: Pending<Value>] = [:]

  package init() {}

  /// Returns what `load` returns to the first task that asks for `key`; tasks that ask meanwhile get its value or error
  /// too.
  ///
  /// `then` runs in the task that has loaded, once the others have the value; tasks that ask before it is done get the
  /// same.
  package func value(
    of key: Key, _ load: () async throws -> Value, then: (Value) async -> Void = { _ in }
  ) async throws -> Value {
    if let flight = flights[key] { return try await flight.value() }
    let flight = Pending<Value>()
    flights[key] = flight
    defer { flights[key] = nil }
    do {
      let value = try await load()
      flight.complete(.success(value))
      await then(value)
      return value
    } catch {
      flight.complete(.failure(error))
      throw error
    }
  }
}
