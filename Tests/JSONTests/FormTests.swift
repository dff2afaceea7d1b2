import Testing
import Values

@testable import JSON

@Suite("A form")
struct FormTests {
  private struct BedInput: JSONForm {
    let name: String
    let length: Double?
    let crops: [String]
    let owner: Identifier?
    let note: Patch<String>

    init(_ fields: inout Fields) {
      name = fields.required("name", .string(1...20), "What it is called.")
      length = fields.optional("length", .number(0...100))
      crops = fields.optional("crops", .array(0...3, of: .text(1...9))) ?? []
      owner = fields.change("owner", .identifier)
      note = fields.patch("note", .string(0...9).checked("must be calm") { !$0.contains("!") })
      if name == "all", length != nil { fields.fault("length", "is not for all") }
    }
  }

  @Test("is described by the initializer that reads it")
  func description() throws {
    guard case .named(let name, .object(let members, _, _), _) = BedInput.schema else {
      Issue.record("\(BedInput.schema)")
      return
    }
    #expect(name == "BedInput")
    #expect(members.map(\.name) == ["name", "length", "crops", "owner", "note"])
    #expect(members.map(\.isRequired) == [true, false, false, false, false])
    #expect(members[0].description == "What it is called.")
    guard case .string(_, 1, 20, _) = members[0].schema, case .nullable(.number(0, 100)) = members[1].schema,
      case .nullable(.array(.string(_, 1, 9, _), nil, 3, false)) = members[2].schema,
      case .string("uuid", _, _, _) = members[3].schema, case .nullable(.string(_, 0, 9, _)) = members[4].schema
    else {
      Issue.record("\(members)")
      return
    }
  }

  @Test("is read as it is described")
  func reading() throws {
    let bed = try BedInput(reading: JSONReader.parse(Array(#"{"name":"a","crops":["b"],"note":null}"#.utf8)))
    #expect(bed.name == "a" && bed.length == nil && bed.crops == ["b"] && bed.owner == nil)
    guard case .clear = bed.note else {
      Issue.record("\(bed.note)")
      return
    }
  }

  @Test(
    "reports every fault with its pointer",
    arguments: [
      (#"{}"#, ["/name"]), (#"{"name":"","length":101,"x":1}"#, ["/name", "/length", "/x"]),
      (#"{"name":"a","crops":["b",1],"owner":null}"#, ["/crops/1", "/owner"]), (#"[]"#, [""]),
      (#"{"name":"all","length":1}"#, ["/length"]), (#"{"name":"a","note":"!"}"#, ["/note"]),
    ])
  func faults(document: String, pointers: [String]) throws {
    let error = #expect(throws: ValidationError.self) {
      try BedInput(reading: JSONReader.parse(Array(document.utf8)))
    }
    #expect(error?.faults.map(\.pointer) == pointers)
  }
}
