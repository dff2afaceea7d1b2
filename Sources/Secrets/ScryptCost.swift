/// How much work a password hash is (RFC 7914).
package struct ScryptCost: Equatable, Sendable {
  /// The binary logarithm of N, the number of blocks.
  package let logarithm: UInt64
  /// r: a block is 128 · r bytes.
  package let blockSize: UInt64
  /// p: how often it is done, one after the other.
  package let parallelism: UInt64

  /// The cost that passwords are hashed with: 32 MiB, and about a quarter of a second.
  package static let standard = ScryptCost(logarithm: 15, blockSize: 8, parallelism: 3)!

  /// The memory that one hash takes, in bytes.
  package var memoryBytes: UInt64 { 128 * blockSize << logarithm }

  /// The most memory that a hash may ask for, so that a forged one cannot exhaust the machine.
  static let maximumBytes: UInt64 = 64 << 20

  /// A cost within bounds: N of 2 to 2^20, r and p of 1 to 32, and memory of at most 64 MiB; else nil.
  package init?(logarithm: UInt64, blockSize: UInt64, parallelism: UInt64) {
    guard (1...20).contains(logarithm), (1...32).contains(blockSize), (1...32).contains(parallelism),
      128 * blockSize << logarithm <= Self.maximumBytes
    else { return nil }
    self.logarithm = logarithm
    self.blockSize = blockSize
    self.parallelism = parallelism
  }
}
