/// An answer that is the same each time, but for its date and what the application adds to every answer: rendered once.
package final class FixedAnswer {
  let status: Status
  /// The status line, and all fields that do not change.
  let head: [UInt8]
  let body: SharedBytes

  package init(_ status: Status, headers: HeaderList = HeaderList(), body: [UInt8]) {
    self.status = status
    self.body = SharedBytes(body)
    var head = status.line.withUTF8Buffer { Array($0) } + headers.bytes
    if !status.isBodiless { head += Array("Content-Length: \(body.count)\r\n".utf8) }
    self.head = head
  }
}
