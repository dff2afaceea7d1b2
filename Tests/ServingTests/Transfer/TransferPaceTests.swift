import Testing

@testable import Transfer

@Test("a transfer is slow if its client moves less than 64 KiB for each second that is waited for it")
func transferPace() {
  let second: UInt64 = 1_000_000_000
  var pace = TransferPace(graceNanoseconds: 10 * second)
  #expect(!pace.isSlow(waiting: 9 * second))
  #expect(pace.isSlow(waiting: 10 * second))
  let quick = 10 * TransferPace.bytesPerSecond
  // The time that the database takes between pieces does not count as waiting.
  for _ in 0..<100 { pace.moved(quick / 10, waited: second / 10) }
  #expect(!pace.isSlow(waiting: 9 * second))
  // Earlier speed does not count for ever.
  pace.moved(quick - 1, waited: 10 * second)
  #expect(pace.isSlow(waiting: 0))
  pace.moved(quick, waited: 10 * second)
  #expect(!pace.isSlow(waiting: 0))
  for _ in 0..<9 { pace.moved(0, waited: second) }
  #expect(!pace.isSlow(waiting: second / 2))
  #expect(pace.isSlow(waiting: second))
}
