import Testing

@testable import Telemetry

private func append(_ bytes: [UInt8], to ring: ByteRing) -> Bool { bytes.withUnsafeBytes(ring.append) }

private func take(_ ring: ByteRing) -> [UInt8] {
  let (first, second) = ring.read()
  let bytes = Array(first) + Array(second)
  ring.consume(bytes.count)
  return bytes
}

@Test("a byte ring returns bytes in order across the end of its storage, whatever their lengths")
func ringWraps() {
  let ring = ByteRing(capacity: 64)
  var next: UInt8 = 0
  for length in Array(0...64) + Array((0...64).reversed()) {
    let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0) &+ next }
    next &+= 7
    #expect(append(bytes, to: ring))
    #expect(ring.count == length)
    #expect(take(ring) == bytes)
  }
}

@Test("a byte ring refuses as a whole what does not fit, and counts it")
func ringRefuses() {
  let ring = ByteRing(capacity: 64)
  #expect(append([UInt8](repeating: 1, count: 60), to: ring))
  #expect(!append([UInt8](repeating: 2, count: 5), to: ring))
  #expect(append([3, 3, 3, 3], to: ring))
  #expect(!append([4], to: ring))
  #expect(ring.refusals == 2)
  #expect(take(ring).count == 64)
  #expect(append([5], to: ring))
}
