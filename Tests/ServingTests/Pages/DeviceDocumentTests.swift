import Agronomy
import Foundation
import Testing
import Values

@testable import Gardens

@Suite("docs/devices.md", .blocking)
struct DeviceDocumentTests {
  /// A piece of code, and what the comment before it says is done with it.
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

  @Test("names the sensor types that are known, as they are")
  func types() throws {
    let rows = KnownSensor.allCases.map { sensor in
      let (low, high) = (Int(sensor.range.lowerBound), Int(sensor.range.upperBound))
      return "| `\(sensor.rawValue)` | \(sensor.unit ?? "") | \(low) to \(high) |\n"
    }
    let table =
      "<!-- sensor types -->\n| Type | Unit | Range |\n|---|---|---|\n\(rows.joined())<!-- end of sensor types -->"
    #expect(try text().contains(table))
  }

  @Test("says of each snippet what proves it, and holds to it")
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
      case ("compiled", "python"):
        try shell("\(environment)python3 -m py_compile \(try write("compiled\(index).py", snippet.code))")
      case ("bridge", "python"):
        let messages = #"""
          tele/greenhouse/SENSOR {"Time":"2026-11-21T09:30:00","AM2301":{"Temperature":21.5,"Humidity":55}}
          tele/other/SENSOR {"AM2301":{"Temperature":1}}
          tele/greenhouse/SENSOR broken
          v3/garden@ttn/devices/bed-1/up {"uplink_message":{"decoded_payload":{"moisture":27.5}}}

          """#
        let (bridge, lines) = (try write("bridge.py", snippet.code), try write("messages", messages))
        try shell("\(environment)python3 \(bridge) devices.json <\(lines)")
      case ("map", "json"), ("not run", _): break
      default: Issue.record("nothing is said of \(snippet.language) \(index): \(snippet.use)")
      }
    }
    let latest = try owner.get("/api/gardens/\(garden)/latest").json["items"]?.elements ?? []
    let values = latest.map { "\($0["sensorType"]?.text ?? "") \($0["value"]?.number ?? -1)" }
    #expect(
      values == [
        "air_humidity 55.0", "air_temperature 21.5", "soil_moisture 27.5", "soil_temperature 12.25",
      ])
  }
}
