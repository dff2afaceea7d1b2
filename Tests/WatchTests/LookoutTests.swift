import Testing

@testable import Watch

@Suite("Looking at a server")
struct LookoutTests {
  @Test("sleeps through a pause of hours or days in parts")
  func longPauses() throws {
    #expect(Lookout.sleepMicroseconds(1) == 1_000 && Lookout.sleepMicroseconds(5_000) == 5_000_000)
    for text in ["2h", "168h"] {
      let pause = Int(try #require(TimeSpan.seconds(text)) * 1_000)
      #expect(Lookout.sleepMicroseconds(pause) == 60_000_000)
    }
  }
}
