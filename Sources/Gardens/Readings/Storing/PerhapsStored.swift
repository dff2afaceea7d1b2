/// Thrown when nobody knows whether readings are stored: an attempt was not answered, and none after it was.
struct PerhapsStored: Error, CustomStringConvertible {
  /// Why the last attempt has failed.
  let cause: any Error
  var description: String { "\(cause) (perhaps stored)" }
}
