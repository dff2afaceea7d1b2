import Values

/// What a collector's answer means for the batch that was sent (OTLP 1.x, "OTLP/HTTP Response").
enum OTLPAnswer: Equatable {
  /// Accepted, except for `rejected` spans, which must not be sent again.
  case accepted(rejected: Int)
  /// To be sent again, after `afterSeconds` if the collector names a time.
  case again(afterSeconds: Int?)
  /// Refused for good.
  case refused

  init(_ answer: PlainHTTP.Answer) {
    switch answer.status {
    case 200..<300: self = .accepted(rejected: Self.rejectedSpans(answer.body))
    case 429, 502, 503, 504:
      // A date, the other form of the field, is left to the back-off.
      self = .again(afterSeconds: answer.header("Retry-After").flatMap { Int(digits: $0) })
    default: self = .refused
    }
  }

  /// `ExportTraceServiceResponse.partial_success.rejected_spans`; 0 when it is absent or the body is something else.
  private static func rejectedSpans(_ body: [UInt8]) -> Int {
    var reader = ProtobufReader(body[...])
    while let (field, value) = reader.next() {
      guard field == 1, case .bytes(let content) = value else { continue }
      var partial = ProtobufReader(content)
      while let (field, value) = partial.next() {
        if field == 1, case .number(let count) = value { return Int(clamping: Int64(bitPattern: count)) }
      }
    }
    return 0
  }
}
