import Testing
import Values

@testable import Gardens

@Suite("Readings that wait to be stored")
struct WaitingReadingsTests {
  private func submission(of garden: Identifier) throws -> ReadingsSubmission {
    let type = try #require(SensorTypes().type("ph"))
    let reading = Reading(type: type, value: 7, measuredAt: Timestamp(unixMilliseconds: 0), index: 0)
    return ReadingsSubmission(
      device: TestDevice.newIdentifier(), garden: garden, readings: Array(repeating: reading, count: 1_000))
  }

  @Test("are of one garden up to half of the room, so that those of others find some")
  func gardens() throws {
    var waiting = WaitingReadings(WaitingReadings.Bounds(readings: 4_000, requests: 100, ofDevice: 100))
    let (garden, other) = (TestDevice.newIdentifier(), TestDevice.newIdentifier())
    var hadRoom: [Bool] = []
    for _ in 0..<3 { hadRoom.append(waiting.add(try submission(of: garden))) }
    for _ in 0..<3 { hadRoom.append(waiting.add(try submission(of: other))) }
    #expect(hadRoom == [true, true, false, true, true, false])
    let taken = waiting.take(readings: 1_000)
    #expect(taken.map(\.garden) == [garden])
    let hasRoom = waiting.add(try submission(of: garden))
    #expect(hasRoom)
  }
}
