import Testing

@testable import Telemetry

@Test("samples about its share of traces", arguments: [0, 0.01, 0.25, 0.5, 0.9, 1])
func shares(ratio: Double) {
  var generator = IDGenerator()
  let sampler = Sampler(ratio: ratio)
  let total = 20_000
  let sampled = (0..<total).count { _ in sampler.begin(parent: nil, using: &generator).isSampled }
  // Five standard deviations of the binomial distribution, none at the ends.
  let deviation = (Double(total) * ratio * (1 - ratio)).squareRoot()
  #expect(abs(Double(sampled) - Double(total) * ratio) <= 5 * deviation)
}

@Test("decides by the trace id alone, and a higher ratio keeps all that a lower one does")
func determinism() {
  var generator = IDGenerator()
  for _ in 0..<1_000 {
    let id = generator.traceID()
    let decisions = [0, 0.1, 0.3, 0.7, 1].map { Sampler(ratio: $0).isSampled(id) }
    #expect(decisions == decisions.sorted { !$0 && $1 })
    #expect(decisions == [0, 0.1, 0.3, 0.7, 1].map { Sampler(ratio: $0).isSampled(id) })
  }
  let lowest = TraceID(high: 1, low: 0)!
  let highest = TraceID(high: 1, low: .max)!
  #expect(!Sampler(ratio: 0).isSampled(lowest))
  #expect(Sampler(ratio: 0.000001).isSampled(lowest))
  #expect(!Sampler(ratio: 0.999999).isSampled(highest))
  #expect(Sampler(ratio: 1).isSampled(highest))
  #expect(!Sampler(ratio: .nan).isSampled(lowest))
  #expect(Sampler(ratio: 2).isSampled(highest))
}

@Test("keeps the caller's decision and trace, under a span of its own", arguments: [true, false])
func parentDecides(isSampled: Bool) {
  var generator = IDGenerator()
  let parent = TraceContext(
    traceID: generator.traceID(), spanID: generator.spanID(), isSampled: isSampled, state: "a=b")
  let context = Sampler(ratio: isSampled ? 0 : 1).begin(parent: parent, using: &generator)
  #expect(context.isSampled == isSampled)
  #expect(context.traceID == parent.traceID)
  #expect(context.spanID != parent.spanID)
  #expect(context.state == "a=b")
}

@Test("makes ids that differ, within and between generators")
func distinctIDs() {
  var one = IDGenerator()
  var other = IDGenerator()
  let ids = (0..<10_000).flatMap { _ in [one.spanID(), other.spanID()] }
  #expect(Set(ids).count == ids.count)
}
