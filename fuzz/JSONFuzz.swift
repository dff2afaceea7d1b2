import Glibc
import Testing
import Values

@testable import JSON

@Suite("Fuzzing JSON")
struct JSONFuzz {
  static let tokens = [
    "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83c\\udf31", "\\ud800", "\\u0000", "\\n", "true", "false",
    "null",
    "0", "-", "1.5", "e", "E+3", "9223372036854775807", "1e308", "\"a\":", "[[[[[[[[", "{\"a\":{\"a\":", "é",
    "\u{10FFFF}",
    " ", "\n", "\u{FEFF}", "12345678", "0.1234567890123456", "\"\"",
  ]

  @Test("the reader accepts what the grammar allows, and what it writes reads again the same")
  func reader() {
    fuzz("json", tokens: Self.tokens) { bytes in
      var reference = ReferenceAcceptor(bytes)
      let isGrammatical = reference?.accepts() ?? false
      let value: JSONValue
      do throws(JSONError) {
        value = try JSONReader.parse(bytes)
      } catch {
        let isBeyondGrammar = error.kind == .duplicateName || error.kind == .numberTooLarge
        if isGrammatical && !isBeyondGrammar { throw Finding("refused: \(error.message)") }
        guard (0...bytes.count).contains(error.offset) else { throw Finding("an offset of \(error.offset)") }
        return error.kind.hashValue &+ min(error.offset, 64)
      }
      if !isGrammatical { throw Finding("accepted, against the grammar") }
      let written = JSONWriter.bytes(of: value)
      guard let again = try? JSONReader.parse(written), JSONWriter.bytes(of: again) == written else {
        throw Finding("written as \(String(decoding: written, as: UTF8.self)), which reads otherwise")
      }
      return shape(value)
    }
  }

  @Test("numbers are rounded as the C library rounds them, and written ones read back to the bit")
  func numbers() {
    fuzz("number", tokens: ["0", "9", ".", "e", "-", "e-", "99999999", "0000000", "5", "1e22", "4503599627370496.5"]) {
      bytes in
      guard let value = try? JSONReader.parse(bytes) else { return 0 }
      let text = String(decoding: bytes, as: UTF8.self)
      switch value {
      case .integer(let integer):
        guard JSONWriter.bytes(of: integer) == Array(String(integer).utf8) else { throw Finding("written otherwise") }
        return text.utf8.count
      case .number(let number):
        guard number.bitPattern == strtod(text, nil).bitPattern else { throw Finding("read as \(number)") }
        let written = JSONWriter.bytes(of: number)
        let again = strtod(String(decoding: written, as: UTF8.self), nil)
        guard again == number else { throw Finding("written as \(again)") }
        return 1_000 + number.exponentBitPattern.hashValue
      default: return 1
      }
    }
  }

  @Test("fields find the faults of any document, at places that are there")
  func fields() {
    let names = ["name", "note", "count", "area", "public", "kind", "id", "at", "place", "tags", "lines", "n"]
    fuzz("fields", tokens: Self.tokens + names.map { "\"\($0)\":" }) { bytes in
      guard let document = try? JSONReader.parse(bytes) else { return 0 }
      var fields = Fields(document)
      read(&fields)
      do throws(ValidationError) {
        try fields.finish()
        return 1
      } catch {
        guard (1...FaultList.capacity).contains(error.faults.count) else { throw Finding("too many faults") }
        for fault in error.faults where !exists(fault, in: document) { throw Finding("a fault at \(fault.pointer)") }
        return error.faults.reduce(into: Hasher()) { $0.combine($1.detail) }.finalize()
      }
    }
  }

  private enum Kind: String, CaseIterable { case frost, watering }

  private func read(_ fields: inout Fields) {
    _ = fields.required("name", .string(1...8).checked("must not be x") { $0 != "x" })
    _ = fields.patch("note", .text(0...4))
    _ = fields.optional("count", .integer(1...9))
    _ = fields.change("area", .number(0...1e9))
    _ = fields.optional("public", .boolean)
    _ = fields.optional("kind", .oneOf(Kind.self))
    _ = fields.optional("id", .identifier)
    _ = fields.patch("at", .timestamp)
    _ = fields.optional("place", .object { $0.required("n", .integer()) })
    _ = fields.optional("tags", .array(0...3, of: .string(1...2)))
    _ = fields.optional("lines", .array(1...4, of: .object { $0.required("n", .array(0...2, of: .boolean)) }))
  }

  /// Whether the fault's offset is within the document, or at its end if something is missing.
  private func exists(_ fault: Fault, in document: JSONValue) -> Bool {
    var value = document
    var tokens = fault.pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    if fault.detail == "is required" { tokens = tokens.dropLast() }
    for token in tokens {
      switch value {
      case .array(let elements):
        guard let index = Int(token), elements.indices.contains(index) else { return false }
        value = elements[index]
      case .object(let object):
        guard let member = object[unescaped(token)] else { return false }
        value = member
      default: return false
      }
    }
    return true
  }

  private func unescaped(_ token: Substring) -> String {
    var result = ""
    var isEscape = false
    for scalar in token.unicodeScalars {
      if isEscape {
        result += scalar == "0" ? "~" : "/"
        isEscape = false
      } else if scalar == "~" {
        isEscape = true
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A number for the shape of a tree, by which inputs with new shapes are kept.
  private func shape(_ value: JSONValue) -> Int {
    var hasher = Hasher()
    func add(_ value: JSONValue) {
      switch value {
      case .array(let elements):
        hasher.combine(elements.count)
        elements.prefix(4).forEach(add)
      case .object(let object):
        hasher.combine(-object.members.count)
        object.members.prefix(4).forEach { add($0.value) }
      case .null: hasher.combine("n")
      case .bool: hasher.combine("b")
      case .integer: hasher.combine("i")
      case .number: hasher.combine("d")
      case .string(let string): hasher.combine(string.isEmpty)
      }
    }
    add(value)
    return hasher.finalize()
  }
}
