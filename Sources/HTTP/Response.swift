/// Bytes that never change and that many answers send, such as a page.
package final class SharedBytes: Sendable {
  package let bytes: [UInt8]
  private let charge: MemoryCharge?

  /// Bytes that stay for good, or whose memory `charge` counts until the last reference is gone.
  package init(_ bytes: [UInt8], _ charge: MemoryCharge? = nil) {
    self.bytes = bytes
    self.charge = charge
  }
}

/// An answer as a value: of an asynchronous or deferred handler, or of the application.
package struct Response {
  package enum Body {
    case none
    case bytes([UInt8])
    case shared(SharedBytes)
    /// Written piece by piece by the closure, which runs after the head was written; chunked unless `length` is given.
    ///
    /// It is not called for HEAD. If it throws, or writes other than `length` bytes, the connection is broken off,
    /// so that the client sees that the body is not whole.
    case stream(length: Int? = nil, (BodyWriter) async throws -> Void)
  }

  package var status: Status
  package var headers: HeaderList
  package var body: Body

  package init(_ status: Status, headers: HeaderList = HeaderList(), body: Body = .none) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}
