import Glibc
import Testing
import Values

@testable import Agronomy

@Suite("Reported faults")
struct StandingFaultsTests {
  private static func day(_ hoursAgo: Double) -> Double { 12 + 6 * cos(2 * .pi * (hoursAgo + 6) / 24) }

  /// A series as it was read `ago` hours before the evening; `value` is given hours before the evening.
  private static func series(
    _ ago: Double, _ type: String = "air_temperature", device: UInt64 = 1, value: (_ hoursAgo: Double) -> Double
  ) -> SensorSeries {
    let now = RulePlot.evening.advanced(byHours: -ago)
    func points(_ hoursAgo: [(hoursAgo: Double, value: Double)]) -> [Point] {
      hoursAgo.map { Point(now.advanced(byHours: -$0.hoursAgo), $0.value) }
    }
    return SensorSeries(
      device: RulePlot.device(device), deviceName: "Bed \(device)", sensorType: type,
      points: points(RulePlot.tens(10) { value($0 + ago) }),
      hours: points(RulePlot.hourly(192) { value($0 + ago) }))
  }

  /// Three beds, of which bed 1 measures 10 °C too much from `since` to `until` hours before the evening.
  private static func beds(_ ago: Double, since: Double, until: Double = -1) -> [SensorSeries] {
    (0..<3).map { bed in
      series(ago, device: UInt64(bed)) { hoursAgo in
        let isOut = bed == 1 && hoursAgo <= since && hoursAgo > until
        return day(hoursAgo) + 0.1 * sin(hoursAgo * Double(7 + bed)) + 0.3 * Double(bed) + (isOut ? 10 : 0)
      }
    }
  }

  /// Looks every hour from `first` hours before the evening on, with `device` silent during `silence`. Returns the
  /// titles of the news, how many hours before the evening each came, and the last finding.
  private static func told(
    from first: Double, silent device: UInt64 = 9, at silence: ClosedRange<Double>? = nil,
    _ series: (_ ago: Double) -> [SensorSeries]
  ) throws -> (news: [String], at: [Double], last: Finding) {
    var (said, news, at, last): ([EarlierFinding], [String], [Double], Finding?) = ([], [], [], nil)
    for ago in stride(from: first, through: 0, by: -1) {
      let now = RulePlot.evening.advanced(byHours: -ago)
      let silent = SilentDevice(
        device: RulePlot.device(device), name: "Bed \(device)", seenAt: now.advanced(byHours: -0.3))
      let observations = Observations(
        series: series(ago), now: now, silent: silence?.contains(ago) == true ? [silent] : [],
        devices: Set((0...9).map(RulePlot.device)), said: said.suffix(1))
      let finding = try #require(AnomalyRule.finding(observations))
      last = finding
      guard AnomalyRule.isNews(finding, observations) else { continue }
      said.append(EarlierFinding(at: now, finding))
      news.append(finding.title)
      at.append(ago)
    }
    return (news, at, try #require(last))
  }

  @Test("are news once, and last for as long as their sensor is apart from its neighbours", arguments: [11.0, 24, 72])
  func apart(since: Double) throws {
    let told = try Self.told(from: since + 12) { Self.beds($0, since: since) }
    #expect(told.news == ["Unusual: air_temperature of Bed 1"])
    #expect(told.last.title == "Unusual: air_temperature of Bed 1")
    #expect(told.last.text.contains("about 10 °C more"))
  }

  @Test("end when their sensor is back")
  func back() throws {
    let told = try Self.told(from: 60) { Self.beds($0, since: 50, until: 20) }
    #expect(told.news == ["Unusual: air_temperature of Bed 1", "Nothing unusual"])
    #expect(told.at.last.map { (8...12).contains($0) } == true)
  }

  @Test("count as usual after a week, without news that all is well")
  func givenUp() throws {
    let told = try Self.told(from: 196) { Self.beds($0, since: 190) }
    #expect(told.news == ["Unusual: air_temperature of Bed 1"])
    #expect(told.last.severity == .info)
  }

  @Test("last for up to a week while a sensor is stuck, and end when it moves")
  func stuck() throws {
    for since in [40.0, 164, 216] {
      let told = try Self.told(from: since + 6) { ago in
        [Self.series(ago) { $0 < since ? 12.5 : Self.day($0) }]
      }
      #expect(told.news == ["Unusual: air_temperature of Bed 1"])
      #expect(told.last.severity == (since < 170 ? .notice : .info))
    }
    let moves = try Self.told(from: 46) { ago in [Self.series(ago) { (10..<40).contains($0) ? 12.5 : Self.day($0) }] }
    #expect(moves.news == ["Unusual: air_temperature of Bed 1", "Nothing unusual"])
  }

  @Test("last for a day after a jump that no soil makes, or until the probe is back in the soil")
  func jumps() throws {
    func told(back: Double) throws -> [String] {
      try Self.told(from: 45) { ago in
        [Self.series(ago, "soil_moisture") { (back..<40).contains($0) ? 0.1 + 0.001 * $0 : 30 + 0.01 * $0 }]
      }.news
    }
    #expect(try told(back: -1) == ["Unusual: soil_moisture of Bed 1"])
    #expect(try told(back: 30) == ["Unusual: soil_moisture of Bed 1", "Nothing unusual"])
    // The expected value is the one before the jump, however long ago that was measured.
    let later = AnomalyRule.faults(
      Observations(
        series: [Self.series(0, "soil_moisture") { $0 < 0.5 ? 0.1 : 30 }], now: RulePlot.evening))
    #expect(later.map(\.expected) == [30])
  }

  @Test("outlast a silence of their device, which says nothing about its sensors")
  func silent() throws {
    let unusual = "Unusual: air_temperature of Bed 1"
    let apart = try Self.told(from: 42, silent: 1, at: 2...3) { Self.beds($0, since: 30) }
    #expect(apart.news == [unusual, "Silent: Bed 1", unusual])
    #expect(apart.last.text.contains("about 10 °C more"))
    for since in [20.0, 30] {
      let stuck = try Self.told(from: 42, silent: 1, at: 4...5) { ago in
        [Self.series(ago) { $0 < since ? 12.5 : Self.day($0) }]
      }
      #expect(stuck.news == [unusual, "Silent: Bed 1", unusual])
    }
    let jump = try Self.told(from: 42, silent: 1, at: 27...28) { ago in
      [Self.series(ago, "soil_moisture") { (-1..<40).contains($0) ? 0.1 + 0.001 * $0 : 30 + 0.01 * $0 }]
    }
    let moisture = "Unusual: soil_moisture of Bed 1"
    #expect(jump.news == [moisture, "Silent: Bed 1", moisture])
    // When its device is heard of again, the sensor measures as it should.
    let back = try Self.told(from: 60, silent: 1, at: 8...30) { Self.beds($0, since: 50, until: 20) }
    #expect(back.news == [unusual, "Silent: Bed 1", "Nothing unusual"])
  }

  @Test("outlast a spike of the same sensor and other news, judged by what was usual before them")
  func spike() throws {
    let told = try Self.told(from: 42, at: 3...3) { ago in
      var beds = Self.beds(ago, since: 30)
      let one = beds[1]
      var points = one.points
      let index = points.count - 4
      if ago == 3 { points[index] = Point(points[index].at, points[index].mean + 9) }
      beds[1] = SensorSeries(
        device: one.device, deviceName: "Bed 1", sensorType: one.sensorType, points: points, hours: one.hours)
      return beds
    }
    let unusual = "Unusual: air_temperature of Bed 1"
    #expect(told.news == [unusual, unusual + "; silent: Bed 9", unusual])
  }

  @Test("that were given up are not found again after other news")
  func staysGivenUp() throws {
    let told = try Self.told(from: 190, at: 4...6) { ago in
      [Self.series(ago, "soil_moisture") { $0 < 182 ? 21.3 : Self.day($0) }]
    }
    #expect(told.news == ["Unusual: soil_moisture of Bed 1", "Silent: Bed 9", "Nothing unusual"])
  }

  @Test("are not reported as over when their device was removed, nor is its silence")
  func gone() throws {
    let now = RulePlot.evening
    let beds = Self.beds(0, since: 4)
    let silence = SilentDevice(device: RulePlot.device(9), name: "Shed", seenAt: now.advanced(byHours: -330))
    let before = Observations(series: beds, now: now, silent: [silence])
    let finding = try #require(AnomalyRule.finding(before))
    #expect(finding.title == "Unusual: air_temperature of Bed 1; silent: Shed")
    for (devices, isNews) in [([0, 2], false), ([0, 2, 9], true), ([0, 1, 2], true)] as [([UInt64], Bool)] {
      let after = Observations(
        series: [beds[0], beds[2]], now: now, devices: Set(devices.map(RulePlot.device)),
        said: [RulePlot.said(finding, at: now.advanced(byHours: -1))])
      let well = try #require(AnomalyRule.finding(after))
      #expect(well.severity == .info && AnomalyRule.isNews(well, after) == isNews)
    }
  }

  @Test("are no news while their device counts as removed, even if a file brings new values")
  func filed() throws {
    let (now, present) = (RulePlot.evening, Set([0, 2].map(RulePlot.device)))
    let first = Observations(series: Self.beds(0, since: 4), now: now, devices: present)
    let finding = try #require(AnomalyRule.finding(first))
    #expect(finding.title == "Unusual: air_temperature of Bed 1" && !AnomalyRule.isNews(finding, first))
    // Told with something else, as when its device was silent for less than a fortnight, it is not told each time.
    let next = Observations(
      series: Self.beds(0, since: 4), now: now, devices: present,
      said: [RulePlot.said(finding, at: now.advanced(byHours: -0.25))])
    let again = try #require(AnomalyRule.finding(next))
    #expect(again.title == finding.title && !AnomalyRule.isNews(again, next))
  }

  @Test("are ignored where the evidence of an earlier finding is incomplete or malformed")
  func evidence() {
    let device = RulePlot.device(1)
    for faults in [
      #"[{"deviceId":"\#(device)","sensorType":"air_temperature","kind":"apart"}]"#,
      #"[{"deviceId":"\#(device)","sensorType":"air_temperature","kind":"apart","value":1,"expected":2,"hours":2,"#
        + #""measuredAt":"2026-11-21T19:00:00Z","foundAt":"2026-11-21T19:00:00Z","usual":{"low":2,"median":1,"high":0}}]"#,
      "[7]", "null",
    ] {
      let said = EarlierFinding(
        at: RulePlot.evening, severity: .notice, evidence: Array(#"{"faults":\#(faults)}"#.utf8), isTold: true)
      let beds = Self.beds(0, since: 100)
      #expect(AnomalyRule.faults(Observations(series: beds, now: RulePlot.evening, said: [said])).isEmpty)
    }
  }
}
