/// The answer that a deferred handler owes: to be given exactly once, on the loop, however late.
///
/// A second answer stops the process, before it could reach another client's request.
package struct DeferredAnswer {
  private let connection: Connection
  private let number: Int

  init(_ connection: Connection) {
    self.connection = connection
    number = connection.request.precedingRequests
  }

  /// The request that is to be answered.
  package var request: Request { connection.request }

  /// The connection; stops the process if the request is already answered.
  private var owing: Connection {
    connection.loop.assertCurrent()
    precondition(connection.request.precedingRequests == number, "A request is answered twice.")
    return connection
  }

  /// Sends the answer.
  package func send(_ response: Response) { owing.respond(response) }

  /// Sends what `make` returns, or what the application makes of its error.
  package func give(_ make: (Request) throws -> Response) {
    let connection = owing
    do { connection.respond(try make(connection.request)) } catch { connection.fail(error) }
  }

  /// Sends an answer that is already rendered.
  package func send(_ answer: FixedAnswer) { owing.respond(answer) }

  /// Answers with what the application makes of an error.
  package func fail(_ error: any Error) { owing.fail(error) }

  /// Leaves the answer to a task that runs `handler`.
  package func run(_ handler: @escaping (Request) async throws -> Response) { owing.spawn(handler) }
}
