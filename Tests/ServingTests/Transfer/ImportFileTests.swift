import JSON
import Testing
import Values

@testable import Transfer

@Suite("The lines of an import")
struct ImportFileTests {
  @Test("look a time zone up once, and only if it may be the name of one, however many others there are")
  func zones() {
    let now = Timestamp(unixMilliseconds: 1_800_000_000_000)
    var file = ImportFile(now: now, rawFrom: now)
    func take(_ json: String) -> String? { file.take(Array(json.utf8), line: 1) }
    func garden(_ zone: String) -> String {
      #"{"kind":"garden","id":"\#(Identifier.make(unixMilliseconds: 1))","name":"Bed","timeZone":"\#(zone)"}"#
    }
    #expect(take(#"{"kind":"header","schema":1}"#) == nil)
    let long = String(repeating: "x", count: 100)
    for number in 1...ImportZones.maximumCount { #expect(take(#"{"timeZone":"\#(long)\#(number)"}"#) == nil) }
    #expect(take(garden("Mars")) == nil)
    #expect(file.report.faultCount == ImportZones.maximumCount + 1)
    #expect(take(garden("Europe/Paris")) == "Europe/Paris")
    file.zones.learn("Europe/Paris", "Europe/Paris")
    #expect(take(garden("Europe/Paris")) == nil)
    #expect(file.report.faultCount == ImportZones.maximumCount + 1)
  }

  @Test("of an earlier release with a blank name are reported, each by its number")
  func blankNames() {
    let now = Timestamp(unixMilliseconds: 1_800_000_000_000)
    var file = ImportFile(now: now, rawFrom: now)
    let (id, other) = (Identifier.make(unixMilliseconds: 1), Identifier.make(unixMilliseconds: 2))
    let lines = [
      #"{"kind":"header","schema":1}"#, #"{"kind":"garden","id":"\#(id)","name":" "}"#,
      #"{"kind":"device","id":"\#(other)","gardenId":"\#(id)","name":"\u200b"}"#,
      #"{"kind":"business","id":"\#(id)","name":"\ufeff","category":"honey"}"#,
      #"""
      {"kind":"product","id":"\#(id)","businessId":"\#(id)","name":"\u2060","unit":"kg",\#
      "price":{"amount":1,"currency":"EUR"}}
      """#,
    ]
    for (index, line) in lines.enumerated() { #expect(file.take(Array(line.utf8), line: index + 1) == nil) }
    #expect(file.report.faults.map(\.line) == [2, 3, 4, 5])
    #expect(file.report.faults.allSatisfy { $0.fault == Fault("/name", "must not be blank") })
  }

  @Test(
    "may not have control characters in the evidence of an insight, which the database may refuse",
    arguments: [
      (#"{"a":"\u0000"}"#, "/evidence/a"), (#"{"a":[1,{"b":["x","\u001f"]}]}"#, "/evidence/a/1/b/1"),
      (#"{"a":{"\u0000":1}}"#, "/evidence/a/\0"), (#"{"a\r":1}"#, "/evidence/a\r"), (#"{"a":"\u0085"}"#, "/evidence/a"),
      ("[]", "/evidence"), ("null", "/evidence"), (#"{"ä\n":"b\t\n","c":{"d":[null,true,1e300]}}"#, nil),
    ] as [(String, String?)])
  func evidence(json: String, fault: String?) {
    let now = Timestamp(unixMilliseconds: 1_800_000_000_000)
    var file = ImportFile(now: now, rawFrom: now)
    let id = Identifier.make(unixMilliseconds: 1)
    let lines = [
      #"{"kind":"header","schema":1}"#, #"{"kind":"garden","id":"\#(id)","name":"Bed"}"#,
      #"""
      {"kind":"insight","id":"\#(id)","gardenId":"\#(id)","type":"frost","provider":"rules","severity":"info",\#
      "title":"Frost","text":"Frost","evidence":\#(json),"createdAt":"2026-01-01T00:00:00Z"}
      """#,
    ]
    for (index, line) in lines.enumerated() { #expect(file.take(Array(line.utf8), line: index + 1) == nil) }
    #expect(file.report.faults.map(\.line) == (fault == nil ? [] : [3]))
    #expect(file.report.faults.first?.fault.pointer == fault)
    #expect(file.batch.insights.count == (fault == nil ? 1 : 0))
  }
}
