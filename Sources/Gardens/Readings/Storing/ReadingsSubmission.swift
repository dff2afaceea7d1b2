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

/// Nobody knows whether readings are stored: an attempt was not answered, and none after it was.
struct PerhapsStored: Error, CustomStringConvertible {
  /// Why the last attempt has failed.
  let cause: any Error
  var description: String { "\(cause) (perhaps stored)" }
}

/// What became of the readings of one request.
struct StoredReadings {
  var accepted: [Reading] = []
  /// Those that were there already, with the same value.
  var duplicates: [Reading] = []
  /// Those whose key was there with another value.
  var conflicts: [Reading] = []

  static func += (all: inout StoredReadings, some: StoredReadings) {
    all.accepted += some.accepted
    all.duplicates += some.duplicates
    all.conflicts += some.conflicts
  }
}
