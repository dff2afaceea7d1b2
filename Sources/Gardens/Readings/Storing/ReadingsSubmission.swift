import Reactor
import Values

/// The valid readings of one request, waiting to be stored.
final class ReadingsSubmission {
  let device: Identifier
  let garden: Identifier
  let readings: [Reading]
  /// From when on it is not tried to store them any more, on the loop's clock.
  var deadline = UInt64.max
  /// Whether an attempt may have stored them without saying so.
  var isPerhapsStored = false
  /// What became of the readings, once `isSettled`.
  var stored = StoredReadings()
  private(set) var failure: (any Error)?
  private var isSettled = false
  private var continuation: LoopContinuation<Void>?

  init(device: Identifier, garden: Identifier, readings: [Reading]) {
    self.device = device
    self.garden = garden
    self.readings = readings
  }

  /// A submission of some of the readings.
  func part(where isIncluded: (Reading) -> Bool) -> ReadingsSubmission {
    let part = ReadingsSubmission(device: device, garden: garden, readings: readings.filter(isIncluded))
    part.deadline = deadline
    return part
  }

  /// Waits until the readings are stored; throws why they may not be.
  func wait() async throws -> StoredReadings {
    if !isSettled { await withLoopContinuation { continuation = $0 } }
    if let failure { throw isPerhapsStored ? PerhapsStored(cause: failure) : failure }
    return stored
  }

  /// Lets the waiter go on; without an error, `stored` holds.
  func settle(_ failure: (any Error)? = nil) {
    isSettled = true
    self.failure = failure
    continuation.take()?.resume()
  }
}
