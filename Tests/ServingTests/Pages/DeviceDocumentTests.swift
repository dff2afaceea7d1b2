import Agronomy
import Foundation
import Testing
import Values

@testable import Gardens

@Suite("docs/devices.md", .blocking)
struct DeviceDocumentTests {
  /// A piece of code in the document, and its use according to the comment before it.
  private struct Snippet {
    let use: String
    let language: String
    let code: String
  }

  private func text() throws -> String { try Repository.text(of: "docs/devices.md") }

  private func snippets() throws -> [Snippet] {
    var (snippets, before, lines): ([Snippet], String, [Substring]?) = ([], "", nil)
    var language = ""
    for line in try text().split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        if let code = lines {
          let use = before.hasPrefix("<!-- ") ? String(before.dropFirst(5).dropLast(4)) : ""
          snippets.append(Snippet(use: use, language: language, code: code.joined(separator: "\n") + "\n"))
          lines = nil
        } else {
          (language, lines) = (String(line.dropFirst(3)), [])
        }
      } else if lines != nil {
        lines?.append(line)
      } else {
        before = String(line)
      }
    }
    return snippets
  }

  @Test("lists the known sensor types with their units and ranges")
  func types() throws {
    let rows = KnownSensor.allCases.map { sensor in
      let (low, high) = (Int(sensor.range.lowerBound), Int(sensor.range.upperBound))
      return "| `\(sensor.rawValue)` | \(sensor.unit ?? "") | \(low) to \(high) |\n"
    }
    let table =
      "<!-- sensor types -->\n| Type | Unit | Range |\n|---|---|---|\n\(rows.joined())<!-- end of sensor types -->"
    #expect(try text().contains(table))
  }

  @Test("names the test of each snippet, which succeeds")
  func proofs() throws {
    let server = try LiveServer.shared.get()
    let (owner, _) = try server.signedIn()
    let garden = try owner.makeGarden()
    let device = try owner.makeDevice(in: garden)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("devices-\(device.id)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func write(_ name: String, _ text: String) throws -> String {
      let file = folder.appendingPathComponent(name)
      try text.write(to: file, atomically: true, encoding: .utf8)
      return file.path
    }
    let environment = """
      set -e; unset PYTHONPATH; export TERROIR=http://127.0.0.1:\(server.port) KEY=\(device.key) GARDEN=\(garden) \
        TOKEN=\(try owner.makeToken([.read])); cd \(folder.path)

      """
    let all = try snippets()
    #expect(all.count >= 12)
    let map = try #require(all.first { $0.use == "map" }).code.replacing("tdk_…", with: device.key)
    _ = try write("devices.json", map)
    for (index, snippet) in all.enumerated() {
      switch (snippet.use, snippet.language) {
      case ("run", "sh"): try shell("\(environment)\(snippet.code.replacing("curl -s", with: "curl -sf"))")
      case ("run", "python"): try shell("\(environment)python3 \(try write("run\(index).py", snippet.code))")
      case ("bridge", "python"):
        let messages = #"""
          tele/greenhouse/SENSOR {"Time":"2026-11-21T09:30:00","AM2301":{"Temperature":21.5,"Humidity":55}}
          tele/other/SENSOR {"AM2301":{"Temperature":1}}
          tele/greenhouse/SENSOR broken
          v3/garden@ttn/devices/bed-1/up {"uplink_message":{"decoded_payload":{"moisture":27.5}}}

          """#
        let (bridge, lines) = (try write("bridge.py", snippet.code), try write("messages", messages))
        try shell("\(environment)python3 \(bridge) devices.json <\(lines)")
      case ("map", "json"), ("run with stubs", "python"), ("not run", _): break
      default: Issue.record("no test is named for \(snippet.language) \(index): \(snippet.use)")
      }
    }
    let latest = try owner.get("/api/gardens/\(garden)/latest").json["items"]?.elements ?? []
    let values = latest.map { "\($0["sensorType"]?.text ?? "") \($0["value"]?.number ?? -1)" }
    #expect(
      values == [
        "air_humidity 55.0", "air_temperature 21.5", "soil_moisture 27.5", "soil_temperature 12.25",
      ])
  }

  @Test("has a MicroPython board keep what cannot be sent, drop only bad values, and wait for a clock")
  func microPython() throws {
    let device = try TestDevice(LiveServer.shared.get())
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("board-\(device.id)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let snippet = try #require(try snippets().first { $0.use == "run with stubs" }).code
      .replacing("http://192.168.1.10:3000", with: "http://127.0.0.1:\(device.server.port)")
      .replacing("tdk_…", with: device.key.text)
    let modules = [("station", snippet), ("requests", Self.requests), ("ntptime", Self.ntptime), ("board", Self.board)]
    for (name, text) in modules {
      try text.write(to: folder.appendingPathComponent(name + ".py"), atomically: true, encoding: .utf8)
    }
    try shell("unset PYTHONPATH; cd \(folder.path); python3 board.py")
    let stored = try device.stored()
    let kept = [20, 21] + Array(51...150) + [77]
    #expect(stored.count == kept.count && stored.sum == Double(kept.reduce(0, +)))
  }

  /// As much of MicroPython's module as the snippet needs, for a network that may be away.
  private static let requests = """
    import urllib.error, urllib.request

    bodies, is_away = [], False


    class Answer:
        def __init__(self, response):
            self.status_code, self.text = response.status, response.read().decode()


    def post(url, data, timeout, headers):
        assert 0 < timeout <= 30
        if is_away:
            raise OSError(113, "EHOSTUNREACH")
        bodies.append(data)
        try:
            return Answer(urllib.request.urlopen(urllib.request.Request(url, data.encode(), headers), timeout=timeout))
        except urllib.error.HTTPError as error:
            return Answer(error)

    """

  private static let ntptime = """
    clock = None


    def settime():
        if clock is None:
            raise OSError(110, "ETIMEDOUT")
        clock.is_set = True

    """

  /// Runs the snippet as a board would, with a clock that begins in 2000 and JSON with numbers as C prints them.
  private static let board = """
    import contextlib, io, json, time, types
    import ntptime, requests, station

    class Clock:
        is_set, now = False, int(time.time()) - 1_000

        def time(self):
            self.now += 1
            return self.now

        def gmtime(self):
            return time.gmtime(self.now if self.is_set else 946_684_800)

    clock = Clock()
    station.time = clock
    station.json = types.SimpleNamespace(dumps=lambda value: json.dumps(value).replace("NaN", "nan"))

    def said(value):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            station.send("custom", value)
        return out.getvalue()

    assert said(1).startswith("lost") and not requests.bodies and not station.waiting
    ntptime.clock = clock
    assert said(20) == "" and clock.is_set
    bad = said(float("nan"))
    assert "malformed" in bad and not station.waiting, bad
    assert said(21) == ""

    requests.is_away = True
    for value in range(1, 150):
        assert said(value).startswith("kept:")
    assert len(station.waiting) == 100
    requests.is_away = False
    assert said(150) == "" and not station.waiting
    assert max(len(body) for body in requests.bodies) < 2_000

    key, station.KEY = station.KEY, "nobody's"
    refused = said(77)
    assert refused.startswith("kept: 1") and "unauthorized" in refused, refused
    station.KEY = key
    assert "nan" not in station.waiting[0] and said(float("nan")).startswith("refused:")
    assert not station.waiting

    """
}
