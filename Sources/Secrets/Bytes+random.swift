extension [UInt8] {
  /// Returns bytes that cannot be guessed: the system's random numbers.
  package static func random(count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }
}
