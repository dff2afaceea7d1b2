/// What a personal access token is good for.
package enum TokenScope: String, CaseIterable, Sendable {
  /// Seeing what its user sees.
  case read
  /// Changing gardens, devices, readings, insights, shops and products; not who is let in or told what happens.
  /// Keys of devices that were made by it stay good when the token ends.
  case write
  /// Placing orders, seeing and moving them, and seeing the shops and products for that.
  case orders
}
