/// What is wrong with a request, found by the parser, a body reader or the reader of a query or path parameter.
///
/// A handler need not catch it: thrown out of a handler it is answered with its status.
package struct RequestFault: Error, Equatable, Sendable {
  package let status: Status
  /// One sentence for the client, without a full stop.
  package let detail: String

  package init(_ status: Status, _ detail: String) {
    self.status = status
    self.detail = detail
  }

  /// A request that breaks the protocol: 400.
  static func malformed(_ detail: String) -> RequestFault { RequestFault(.badRequest, detail) }
}
