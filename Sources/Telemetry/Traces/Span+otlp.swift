/// The Protocol Buffers form of a span (opentelemetry/proto/trace/v1/trace.proto).
extension Span {
  /// The length from which on no more attributes are written; those left out are counted in the span.
  static let maximumBytes = 16_384
  /// The memory that a span needs at most: `maximumBytes`, and the texts that may each cross or follow it.
  static let memoryBytes = maximumBytes + 4 * ProtobufWriter.maximumTextBytes

  /// Writes the span as a member of `ScopeSpans.spans`, its field number included.
  func encode(to writer: inout ProtobufWriter) {
    writer.message(2) { writer in
      writer.identifier(1, context.traceID.high, context.traceID.low)
      writer.identifier(2, context.spanID.value)
      if let state = context.state { writer.text(3, state) }
      if let parentID { writer.identifier(4, parentID.value) }
      writer.text(5, name)
      writer.varint(6, UInt64(kind.rawValue))
      writer.fixed64(7, startUnixNanoseconds)
      writer.fixed64(8, endUnixNanoseconds)
      var written = 0
      for attribute in attributes where writer.written.count < Self.maximumBytes {
        attribute.encode(to: &writer)
        written += 1
      }
      if written < attributes.count { writer.varint(10, UInt64(attributes.count - written)) }
      guard case .error(let message) = status else { return }
      writer.message(15) { writer in
        if !message.isEmpty { writer.text(2, message) }
        writer.varint(3, 2)
      }
    }
  }
}

extension Span.Attribute {
  /// Writes the attribute as a member of `Span.attributes` (`KeyValue` of common.proto).
  fileprivate func encode(to writer: inout ProtobufWriter) {
    writer.message(9) { writer in
      writer.text(1, constant: key)
      writer.message(2) { writer in
        switch value {
        case .string(let text): writer.text(1, text)
        case .boolean(let flag): writer.varint(2, flag ? 1 : 0)
        case .integer(let number): writer.varint(3, UInt64(bitPattern: number))
        case .double(let number): writer.fixed64(4, number.bitPattern)
        }
      }
    }
  }
}
