import Testing
import Values

@testable import Transfer

@Suite("The lines of an import")
struct ImportFileTests {
  @Test("have a time zone asked for once, and only what may be the name of one, however many others there are")
  func zones() {
    let now = Timestamp(unixMilliseconds: 1_800_000_000_000)
    var file = ImportFile(now: now, rawFrom: now)
    func take(_ json: String) -> String? { file.take(Array(json.utf8), line: 1) }
    func garden(_ zone: String) -> String {
      #"{"kind":"garden","id":"\#(Identifier.make(unixMilliseconds: 1))","name":"Bed","timeZone":"\#(zone)"}"#
    }
    #expect(take(#"{"kind":"header","schema":1}"#) == nil)
    let long = String(repeating: "x", count: 100)
    for number in 1...ImportFile.maximumZones { #expect(take(#"{"timeZone":"\#(long)\#(number)"}"#) == nil) }
    #expect(take(garden("Mars")) == nil)
    #expect(file.report.faultCount == ImportFile.maximumZones + 1)
    #expect(take(garden("Europe/Paris")) == "Europe/Paris")
    file.learn("Europe/Paris", "Europe/Paris")
    #expect(take(garden("Europe/Paris")) == nil)
    #expect(file.report.faultCount == ImportFile.maximumZones + 1)
  }
}
