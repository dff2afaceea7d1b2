import Testing

@testable import Postgres

@Suite("A ring")
struct RingTests {
  @Test("keeps its order while it wraps around and grows")
  func order() {
    var ring = Ring<Int>()
    var (next, expected) = (0, 0)
    for round in 1...50 {
      for _ in 0..<round {
        ring.append(next)
        next += 1
      }
      for _ in 0..<(round / 2) {
        #expect(ring.first == expected)
        #expect(ring.popFirst() == expected)
        expected += 1
      }
    }
    #expect(ring.count == next - expected)
    #expect((0..<ring.count).map { ring[$0] } == Array(expected..<next))
  }
}
