import HTTP

/// The fields of every answer beside the server's own: the request's id, and `nosniff`, by which browsers believe the
/// media type.
final class AnswerFields {
  private static let typeOptions: StaticString = "X-Content-Type-Options: nosniff\r\n"
  private static let idName: StaticString = "X-Request-Id"

  /// The lines with an id of our own, which is written over the previous one: so they go out in one piece.
  private let lines: UnsafeMutableRawBufferPointer
  private let idStart: Int

  init() {
    let before = "\(Self.idName): "
    let text = before + String(repeating: "0", count: RequestID.ownLength) + "\r\n\(Self.typeOptions)"
    lines = .allocate(byteCount: text.utf8.count, alignment: 8)
    lines.copyBytes(from: text.utf8)
    idStart = before.utf8.count
  }

  deinit { lines.deallocate() }

  /// Adds the fields to an answer.
  func add(_ id: RequestID, to fields: FieldWriter) {
    switch id {
    case .own(let first, let second):
      lines.storeBytes(of: first.littleEndian, toByteOffset: idStart, as: UInt64.self)
      // The last of these bytes is the carriage return behind the id.
      let end = second | UInt64(UInt8(ascii: "\r")) << 56
      lines.storeBytes(of: end.littleEndian, toByteOffset: idStart + 8, as: UInt64.self)
      fields.append(lines: UnsafeRawBufferPointer(lines))
    case .client(let text):
      fields.append(Self.idName, text)
      fields.append(lines: Self.typeOptions)
    }
  }
}
