import JSON

extension PageItem {
  /// Room for the text of most items.
  private static var usualBytes: Int { 480 }

  /// Its JSON text, as the answer to a request for it alone.
  package var body: [UInt8] { body { _ in } }

  /// Its JSON text with more members behind its own, such as a secret that is shown once.
  package func body(_ more: (inout JSONWriter) -> Void) -> [UInt8] {
    var json = JSONWriter(reserving: Self.usualBytes)
    json.object { json in
      write(&json)
      more(&json)
    }
    return json.take()
  }
}
