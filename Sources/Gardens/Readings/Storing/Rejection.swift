/// Why a reading was not taken. The raw value is part of the API and never changes its meaning.
enum RejectionReason: String, CaseIterable, Sendable {
  /// A line of NDJSON that is not JSON.
  case malformed
  case notAnObject = "not-an-object"
  case unknownMember = "unknown-member"
  case missingMember = "missing-member"
  case wrongType = "wrong-type"
  /// Not a name as `SensorType` has them.
  case invalidSensorType = "invalid-sensor-type"
  /// Neither an RFC 3339 date-time nor a whole number.
  case invalidTime = "invalid-time"
  /// A number that no double holds.
  case notFinite = "not-finite"
  /// Outside the physical range of a known sensor type, or of what any sensor may measure.
  case outOfRange = "out-of-range"
  /// Of a sensor type that its device does not declare, which declares some.
  case undeclaredType = "undeclared-type"
  /// Of a sensor type that its device has not measured, which has as many as a device may have.
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
  /// What of the request is wrong, as a JSON Pointer (RFC 6901) into the document or the line; nil when its shape is
  /// not.
  var pointer: String?
  /// The type that may be meant by one that is not declared.
  var nearestType: String?
}
