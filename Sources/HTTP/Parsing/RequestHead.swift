/// A request line and what the header section says about the message itself: positions only, no text.
package struct RequestHead {
  package internal(set) var method = Method.other
  /// The name of the method.
  var methodName = Slice()
  /// The target as sent, for logs.
  var target = Slice()
  /// The path within the target, percent-encoded.
  package internal(set) var path = Slice()
  /// The query within the target, without its question mark; meaningless unless `hasQuery`.
  var query = Slice()
  var hasQuery = false
  var pathHasEscapes = false
  /// `OPTIONS *` (RFC 9112, section 3.2.4).
  var isAsterisk = false
  /// The second digit of the version: 0, or 1 for 1.1 and later.
  var minorVersion: UInt8 = 1
  var fieldCount = 0
  /// The lengths of the fields' names, a bit for each modulo 64: most fields that are asked for are absent, and this
  /// tells so at once.
  var nameLengths: UInt64 = 0
  var framing = BodyFraming.none
  var keepsAlive = true
  var expectsContinue = false

  package init() {}
}
