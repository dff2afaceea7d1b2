import Reactor
import Values

/// The valid readings of one request, waiting to be stored.
final class ReadingsSubmission {
  let device: Identifier
  let garden: Identifier
  let readings: [Reading]
  /// No attempt to store them begins after this, in nanoseconds of the loop's clock.
  var deadline = UInt64.max
  /// Whether an attempt may have stored them without an answer.
  var isPerhapsStored = false
  /// The transaction that has stored those of them that are new, if that is known.
  var transaction: Int64?
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

  /// Returns a submission of some of the readings, with the same deadline.
  func part(where isIncluded: (Reading) -> Bool) -> ReadingsSubmission {
    let part = ReadingsSubmission(device: device, garden: garden, readings: readings.filter(isIncluded))
    part.deadline = deadline
    return part
  }

  /// Returns once the readings are stored; throws the error for which they are not, or may not be.
  func wait() async throws -> StoredReadings {
    if !isSettled { await withLoopContinuation { continuation = $0 } }
    if let failure { throw isPerhapsStored ? PerhapsStored(cause: failure) : failure }
    return stored
  }

  /// Resumes the waiter; without a failure, `stored` holds.
  func settle(_ failure: (any Error)? = nil) {
    isSettled = true
    self.failure = failure
    continuation.take()?.resume()
  }
}
