import JSON
import Testing

/// What generators of clients need beyond a document that is right: https://openapi-generator.tech and others.
@Suite("OpenAPI document, for generators of clients", .blocking)
struct ClientGeneratorsTests {
  private func document() throws -> JSONValue {
    try Client(LiveServer.shared.get()).get("/openapi.json").json
  }

  @Test("says that an integer has 64 bits wherever its bounds leave more than 32 to it")
  func integers() throws {
    var (count, unsaid) = (0, [String]())
    try document().walk { schema in
      guard schema["type"]?.text == "integer" || schema["type"]?.elements?.first?.text == "integer" else { return }
      count += 1
      let isSmall =
        (schema["minimum"]?.integer).map { $0 >= Int32.min } ?? false
        && (schema["maximum"]?.integer).map { $0 <= Int32.max } ?? false
      if (schema["format"]?.text == "int64") == isSmall { unsaid.append("\(schema)") }
    }
    #expect(count > 30 && unsaid == [])
  }

  @Test("says of every number that it is a double: clients in Go would keep seven digits of it")
  func numbers() throws {
    var (count, unsaid) = (0, [String]())
    try document().walk { schema in
      guard schema["type"]?.text == "number" || schema["type"]?.elements?.first?.text == "number" else { return }
      count += 1
      if schema["format"]?.text != "double" { unsaid.append("\(schema)") }
    }
    #expect(count > 50 && unsaid == [])
  }

  @Test("says oneOf where one shape of several stands: of anyOf, clients make one shape with the members of all")
  func choices() throws {
    var (choices, mixtures) = (0, [String]())
    try document().walk { schema in
      if schema["oneOf"]?.elements != nil { choices += 1 }
      guard let shapes = schema["anyOf"]?.elements else { return }
      if !(shapes.count == 2 && shapes[1]["type"]?.text == "null") { mixtures.append("\(schema)") }
    }
    #expect(choices == 4 && mixtures == [])
  }

  @Test("names no schema as Go's clients name what makes another: NewGarden is the function that makes a Garden")
  func names() throws {
    let names = try #require(try document()["components"]?["schemas"]?.members).map(\.name)
    let constructors = Set(names.map { "New" + $0 })
    #expect(names.count > 80 && names.filter(constructors.contains) == [])
  }
}
