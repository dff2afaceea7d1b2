/// Why a reading was not taken. The raw value is part of the API and never changes its meaning.
enum RejectionReason: String, CaseIterable, Sendable {
  /// A line of NDJSON that is not JSON.
  case malformed
  case notAnObject = "not-an-object"
  case unknownMember = "unknown-member"
  case missingMember = "missing-member"
  case wrongType = "wrong-type"
  /// Not a name that `SensorType` allows.
  case invalidSensorType = "invalid-sensor-type"
  /// Neither an RFC 3339 date-time nor a whole number.
  case invalidTime = "invalid-time"
  /// A number that no double holds.
  case notFinite = "not-finite"
  /// Outside the physical range of a known sensor type, or of what any sensor may measure.
  case outOfRange = "out-of-range"
  /// Its sensor type is not among those that its device declares.
  case undeclaredType = "undeclared-type"
  /// Its sensor type is new to a device that has as many as it may have.
  case tooManyTypes = "too-many-types"
  /// Measured more than five minutes from now.
  case inTheFuture = "in-the-future"
  /// Measured before what is kept.
  case tooOld = "too-old"
  /// There is a reading of this device, type and time with another value.
  case conflict
}

/// A reading that was not taken.
struct Rejection {
  /// Its place in the request.
  let index: Int
  let reason: RejectionReason
  /// Its sensor type as far as it was understood.
  let type: SensorType?
  /// The place of the fault, as a JSON Pointer (RFC 6901) into the document or the line; nil when the shape is not at
  /// fault.
  var pointer: String?
  /// The type that was probably meant by an undeclared one.
  var nearestType: String?
}
