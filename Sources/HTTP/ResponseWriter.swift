/// Writes the answer of a synchronous handler: `begin`, then fields, then `end`, or `send` for all of it.
///
/// If the handler returns before it has ended its answer, the answer is ended without a body; it is a 500 if it was not
/// begun.
package struct ResponseWriter {
  // The caller that makes a writer keeps the connection alive; counting references to it for each answer would cost.
  private let connection: Unmanaged<Connection>
  private(set) var status: Status?
  private(set) var isFinished = false

  init(_ connection: Connection) { self.connection = .passUnretained(connection) }

  /// Writes the status line and the fields that every answer has.
  package mutating func begin(_ status: Status) {
    precondition(self.status == nil, "an answer begins once")
    self.status = status
    connection._withUnsafeGuaranteedRef { $0.beginHead(status) }
  }

  /// Writes the fields of the answer, between `begin` and `end`.
  package var fields: FieldWriter { connection._withUnsafeGuaranteedRef { FieldWriter($0) } }

  /// Writes the body and ends the answer.
  package mutating func end(_ body: UnsafeRawBufferPointer) { end(body.count) { $0.append(body) } }

  /// Writes the body and ends the answer.
  package mutating func end(_ body: StaticString) {
    end(UnsafeRawBufferPointer(start: body.utf8Start, count: body.utf8CodeUnitCount))
  }

  /// Writes the body and ends the answer.
  package mutating func end(_ body: [UInt8]) { end(body.count) { $0.append(body: body) } }

  @inline(__always)
  private mutating func end(_ length: Int, _ append: (inout OutputBuffer) -> Void) {
    precondition(status != nil && !isFinished, "an answer ends once, after it has begun")
    isFinished = true
    let status = status!
    connection._withUnsafeGuaranteedRef { if $0.endHead(status, length) { append(&$0.output) } }
  }

  /// Ends an answer without a body.
  package mutating func end() { end(UnsafeRawBufferPointer(start: nil, count: 0)) }

  /// Writes a whole answer, whose body must not be a stream.
  package mutating func send(_ response: Response) {
    begin(response.status)
    connection._withUnsafeGuaranteedRef { $0.output.append(response.headers.bytes) }
    switch response.body {
    case .none: end()
    case .bytes(let bytes): end(bytes)
    case .shared(let shared): end(shared.bytes.count) { $0.append(shared) }
    case .stream: preconditionFailure("a stream needs an asynchronous handler")
    }
  }

  /// Writes an answer that is already rendered.
  package mutating func send(_ answer: FixedAnswer) {
    precondition(status == nil, "an answer begins once")
    status = answer.status
    isFinished = true
    connection._withUnsafeGuaranteedRef { $0.write(answer) }
  }

  /// Ends what the handler has left open.
  mutating func close() {
    if isFinished { return }
    if status == nil { begin(.internalServerError) }
    end()
  }
}
