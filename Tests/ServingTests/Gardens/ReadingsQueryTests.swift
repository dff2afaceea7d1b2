import JSON
import Reactor
import Secrets
import Testing
import Values

@testable import Gardens

@Suite("Reading readings", .blocking)
struct ReadingsQueryTests {
  private func device() throws -> TestDevice { try TestDevice(LiveServer.shared.get()) }

  @Test("returns raw readings by time and type, page by page")
  func pages() throws {
    let device = try device()
    let client = device.client
    let samples = Sample.series(25) + Sample.series(25, type: "rain")
    #expect(try device.post(client, samples).status == 200)
    var seen: [String] = []
    let pages = try client.pages(from: "\(device.path)?limit=7")
    for page in pages {
      #expect(page.status == 200)
      #expect(page.header("content-type") == "application/json")
      for item in try page.items {
        seen.append(
          "\(item["measuredAt"]?.text ?? "") \(item["sensorType"]?.text ?? "") \(item["value"]?.number ?? -1)")
      }
      #expect(page.next == (try page.json["nextCursor"]?.text).map { "\(device.path)?limit=7&cursor=\($0)" })
    }
    #expect(pages.count == 8)
    #expect(seen == samples.map { "\($0.at) \($0.type) \($0.value)" }.sorted())
    let one = try client.get("\(device.path)?sensorType=rain")
    #expect(try one.items.count == 25)
    #expect(try one.items.allSatisfy { $0["sensorType"]?.text == "rain" })
    #expect(try device.owner.get(device.path).items.count == 50)
  }

  @Test("carries a weak tag, another one for each form, and answers 304 to a client that has it")
  func tags() throws {
    let device = try device()
    let client = device.client
    #expect(try device.post(client, Sample.series(3)).status == 200)
    // Waits for the rollup, so that its buckets do not appear between two requests.
    #expect(try holds { try !client.get(device.path + "?resolution=1h").items.isEmpty })
    for target in [device.path, device.path + "?limit=2", device.path + "?resolution=1h"] {
      let json = try client.get(target)
      let tag = try #require(json.header("etag"))
      let csv = try #require(try client.get(target, headers: ["Accept: text/csv"]).header("etag"))
      #expect(tag.hasPrefix("W/\"") && csv.hasPrefix("W/\"") && csv != tag)
      let kept = try client.get(target, headers: ["If-None-Match: \(tag)"])
      #expect(kept.status == 304 && kept.body.isEmpty && kept.header("etag") == tag)
      #expect(kept.header("vary") == "Accept" && kept.header("cache-control") == "private, no-cache")
      #expect(try client.get(target, headers: ["If-None-Match: \(tag)", "Accept: text/csv"]).status == 200)
    }
    let before = try #require(try client.get(device.path).header("etag"))
    #expect(try device.post(client, Sample.series(1, type: "rain")).status == 200)
    #expect(try client.get(device.path, headers: ["If-None-Match: \(before)"]).status == 200)
  }

  @Test("leads from a page that a client has kept to what came later, however far the device's clock is ahead")
  func openEnd() throws {
    let device = try device()
    let client = device.client
    let samples = Sample.series(4)
    #expect(try device.post(client, samples).status == 200)
    let target = "\(device.path)?from=\(samples[0].at)&limit=2"
    let kept = try client.get(target)
    let tag = try #require(kept.header("etag"))
    let next = try #require(kept.next)
    // Later than any moment that the first page's request could have taken for the present.
    let at = Timestamp(unixMilliseconds: Clock.unixMilliseconds() + ReadingWindow.futureMilliseconds)
    #expect(try device.post(client, [Sample(value: 7, at: at)]).receipt == [1, 0])
    #expect(try client.get(target, headers: ["If-None-Match: \(tag)"]).status == 304)
    let rest = next.replacing("limit=2", with: "limit=5")
    #expect(try holds { try client.get(rest).items.map { $0["value"]?.number } == [2, 3, 7] })
  }

  @Test("gets another tag once another device has readings, though the items are the same")
  func grownGarden() throws {
    let device = try device()
    let samples = Sample.series(3)
    #expect(try device.post(device.client, samples).status == 200)
    let target = "/api/gardens/\(device.garden)/readings?from=\(samples[0].at)&limit=3"
    let before = try device.owner.get(target)
    let tag = try #require(before.header("etag"))
    #expect(try before.items.count == 3)
    #expect(try before.json["nextCursor"] == .null)
    #expect(try device.owner.get(target, headers: ["If-None-Match: \(tag)"]).status == 304)
    let second = try device.owner.makeDevice(in: "\(device.garden)")
    #expect(
      try Client(device.server, token: second.key).post("/api/readings", Sample.document(samples)).receipt == [3, 0])
    let after = try device.owner.get(target, headers: ["If-None-Match: \(tag)"])
    #expect(after.status == 200)
    #expect(try after.json["items"] == before.json["items"])
    #expect(try after.json["nextCursor"]?.text != nil)
  }

  @Test("includes `from`, excludes `to`, and covers the last 24 hours by default")
  func spans() throws {
    let device = try device()
    let client = device.client
    let now = Clock.unixMilliseconds()
    let samples = [-25 * 3_600_000, -7_200_000, -3_600_000, 60_000].map {
      Sample(value: 1, at: Timestamp(unixMilliseconds: now + $0))
    }
    #expect(try device.post(client, samples).receipt == [4, 0])
    #expect(try client.get(device.path).items.count == 3)
    let span = "?from=\(samples[1].at)&to=\(samples[2].at)"
    #expect(try client.get(device.path + span).items.compactMap { $0["measuredAt"]?.text } == ["\(samples[1].at)"])
    #expect(try client.get(device.path + "?from=\(samples[0].at)").items.count == 4)
    #expect(try client.get(device.path + "?to=\(samples[1].at)").items.count == 1)
    #expect(try client.get(device.path + "?from=\(samples[1].at)&to=\(samples[1].at)").items.isEmpty)
  }

  @Test("refuses a cursor that was sealed for the same list but is too short")
  func shortCursor() throws {
    let device = try device()
    let seal = CursorSeal(keys: device.server.configuration.accounts.keys("cursor 1"))
    func page(_ payload: CursorPayload) throws -> Reply {
      let cursor = seal.seal(payload, list: "readings \(device.id) raw   ")
      return try device.client.get("\(device.path)?cursor=\(cursor)")
    }
    var payload = CursorPayload()
    payload.append(Int64(0))
    #expect(try page(payload).problem == "invalid-cursor")
    payload.append("ph")
    #expect(try page(payload).problem == "invalid-cursor")
    payload.append(Int64(0))
    #expect(try page(payload).status == 200)
  }

  static let malformed = [
    "from=2026-11-21T10:00:00Z&to=2026-11-21T09:00:00Z", "from=yesterday", "resolution=2h", "limit=0", "limit=10001",
    "limit=x", "sensorType=UPPER", "cursor=nonsense", "from=2026-11-21T10:00:00Z&from=2026-11-21T10:00:00Z",
  ]

  @Test("refuses malformed queries", arguments: malformed)
  func refusals(query: String) throws {
    let device = try device()
    #expect(try device.client.get("\(device.path)?\(query)").status == 400)
  }

  @Test("refuses a cursor of another list")
  func foreignCursor() throws {
    let device = try device()
    #expect(try device.post(device.client, Sample.series(3)).status == 200)
    let cursor = try #require(try device.client.get("\(device.path)?limit=1").json["nextCursor"]?.text)
    #expect(try device.client.get("\(device.path)?limit=1&cursor=\(cursor)").status == 200)
    #expect(try device.client.get("\(device.path)?resolution=1h&cursor=\(cursor)").problem == "invalid-cursor")
  }

  @Test("returns nobody else's readings")
  func strangers() throws {
    let (device, other) = (try device(), try device())
    #expect(try other.owner.get(device.path).status == 404)
    #expect(try other.owner.post(device.path, Sample.document(Sample.series(1))).status == 404)
    #expect(try device.owner.post(device.path, Sample.document(Sample.series(1))).receipt == [1, 0])
  }
}
