/// What a server serves: its routes, and what happens around each request. One per loop, called on the loop's thread.
///
/// For every request, `begin` is called once, then at most one of a handler, `refuse` and `options` makes the answer
/// (`refuse` also when a handler throws, or there is no memory for its answer), then `finish` is called once.
package protocol Application: AnyObject {
  var router: Router { get }

  /// Called when the head was parsed and routed, or refused; `request.route` is nil if nothing matched or nothing was
  /// parsed.
  func begin(_ request: Request)

  /// Returns the answer to a request that cannot be served; its body must not be a stream.
  func refuse(_ refusal: Refusal, _ request: Request) -> Response

  /// Answers OPTIONS for a path that has no route for it, or for the server itself (`*`).
  func options(_ request: Request, allow: String) -> Response

  /// Adds the fields that every answer has, before those of the answer itself.
  func addFields(to fields: FieldWriter, for request: Request)

  /// Called when the request was answered, or its answer dropped.
  func finish(_ request: Request, _ summary: Finished)
}

extension Application {
  package func options(_ request: Request, allow: String) -> Response {
    Response(.noContent, headers: ["Allow": allow])
  }

  package func addFields(to fields: FieldWriter, for request: Request) {}
}
