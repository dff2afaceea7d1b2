import JSON
import Testing

@testable import Reference

@Suite("JSON Schema of a shape", .blocking)
struct SchemaTests {
  @Test(
    "is written as the standard prescribes",
    arguments: [
      (.boolean, #"{"type":"boolean"}"#),
      (.any, "{}"),
      (
        .string(format: "uuid", minLength: 1, maxLength: 2, pattern: "^a"),
        #"{"type":"string","format":"uuid","minLength":1,"maxLength":2,"pattern":"^a"}"#
      ),
      (.nullable(.integer(minimum: 1, maximum: 9)), #"{"type":["integer","null"],"minimum":1,"maximum":9}"#),
      (.integer(minimum: 1), #"{"type":"integer","format":"int64","minimum":1}"#),
      (
        .integer(minimum: 0, maximum: 2_147_483_648),
        #"{"type":"integer","format":"int64","minimum":0,"maximum":2147483648}"#
      ),
      (.nullable(.enumeration(["a"])), #"{"type":["string","null"],"enum":["a",null]}"#),
      (.constant("a"), #"{"const":"a"}"#),
      (.array(.number(), maxItems: 3), #"{"type":"array","items":{"type":"number","format":"double"},"maxItems":3}"#),
      (
        .array(.boolean, minItems: 1, isUnique: true),
        #"{"type":"array","items":{"type":"boolean"},"minItems":1,"uniqueItems":true}"#
      ),
      (.map(.boolean), #"{"type":"object","additionalProperties":{"type":"boolean"}}"#),
      (.named("A", .boolean), ##"{"$ref":"#/components/schemas/A"}"##),
      (.nullable(.named("A", .boolean)), ##"{"anyOf":[{"$ref":"#/components/schemas/A"},{"type":"null"}]}"##),
      (.oneOf([.boolean, .number()]), #"{"oneOf":[{"type":"boolean"},{"type":"number","format":"double"}]}"#),
      (
        .object([.required("a", .boolean, "Why."), .optional("b", .any)]),
        #"{"type":"object","properties":{"a":{"type":"boolean","description":"Why."},"b":{}},"required":["a"]}"#
      ),
      (.object([], isClosed: true), #"{"type":"object","properties":{},"additionalProperties":false}"#),
    ] as [(Schema, String)])
  func json(schema: Schema, expected: String) {
    #expect(String(decoding: JSONWriter.bytes(of: schema), as: UTF8.self) == expected)
  }
}
