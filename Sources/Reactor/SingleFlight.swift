/// Has one task of a loop make a value, however many ask for it meanwhile.
package final class SingleFlight<Key: Hashable, Value> {
  private var flights: [Key: Pending<Value>] = [:]

  package init() {}

  /// What `load` gives, or what it gives to the task that asked first; its error is everyone's as well.
  ///
  /// `then` runs in the task that has loaded, once the others have the value: until it is done, who asks gets the same.
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
