/// The answer that a deferred handler owes: to be given exactly once, on the loop, however late.
package struct DeferredAnswer {
  private let connection: Connection

  init(_ connection: Connection) { self.connection = connection }

  /// The request that is to be answered.
  package var request: Request { connection.request }

  /// Gives the answer.
  package func send(_ response: Response) { connection.respond(response) }

  /// Answers with what the application makes of an error.
  package func fail(_ error: any Error) { connection.fail(error) }

  /// Leaves the answer to a task that runs `handler`.
  package func run(_ handler: @escaping (Request) async throws -> Response) { connection.spawn(handler) }
}
