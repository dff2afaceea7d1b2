import Agronomy
import Testing
import Values

@Suite("How long a device may be silent")
struct OnlineSpanTests {
  @Test(
    "is three times its usual silence, and at least a quarter of an hour",
    arguments: [
      (0, 15, true), (0, 16, false), (60, 15, true), (900, 45, true), (900, 46, false), (21_600, 1_079, true),
    ])
  func span(medianSeconds: Int64, minutes: Double, isOnline: Bool) {
    let seen = RulePlot.evening.advanced(byHours: -minutes / 60)
    #expect(OnlineSpan(medianSilenceSeconds: medianSeconds).isOnline(seen: seen, now: RulePlot.evening) == isOnline)
    #expect(!OnlineSpan(medianSilenceSeconds: medianSeconds).isOnline(seen: nil, now: RulePlot.evening))
  }
}
