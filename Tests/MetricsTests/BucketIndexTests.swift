import Testing

@testable import Metrics

@Suite("Finding a bucket")
struct BucketIndexTests {
  @Test(
    "returns the first bucket whose bound is not below the value",
    arguments: [
      [1], [0], [0, 1], [0, .leastNonzeroMagnitude, 1], [.leastNonzeroMagnitude, .greatestFiniteMagnitude],
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.7, 1, 2, 2.5, 3, 5, 7, 10],
      [1, 1.001, 1.002, 1.003, 1.5, 1e6], [0.1, 0.1.nextUp, 0.1.nextUp.nextUp], [1e-300, 1, 1e300],
      (0..<32).map { 0.000_05 * (0..<$0).reduce(1) { product, _ in product * 1.5 } }, (1...64).map { Double($0) },
    ] as [[Double]])
  func agreesWithTheBounds(bounds: [Double]) {
    let index = BucketIndex.make(bounds)
    let ends = [0, -0.0, .leastNonzeroMagnitude, .leastNormalMagnitude, 1, .greatestFiniteMagnitude] as [Double]
    let around = bounds.flatMap { [$0, $0.nextUp, $0.nextDown, $0 * 0.99, $0 * 1.01, $0 / 2, $0 * 1.9] }
    for value in ends + around where value >= 0 && value < .infinity {
      #expect(index.pointee.bucket(of: value) == bounds.prefix { $0 < value }.count, "\(value)")
    }
  }
}
