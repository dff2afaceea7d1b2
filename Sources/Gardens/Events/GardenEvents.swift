import HTTP
import Values
import Web

/// What happens in a garden, as it happens: server-sent events (the HTML standard, section 9.2).
struct GardenEvents: EndpointGroup {
  let context: LoopContext
  let broker: EventBroker

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "streamGardenEvents", method: .get, template: "/api/gardens/{id}/events", access: .anyone,
        summary: "Readings and insights of a garden as they come",
        details: """
          Server-sent events with JSON data, and a comment now and then. The data of `event: reading` is a \
          `GardenReading`. The data of `event: insight` is an `Insight`; in a public garden, a client without a role \
          gets its `id` and `createdAt` only. `event: gap`, with an empty object, says that events may be missing \
          there: read again what you show. `event: stalled`, with an empty object, says that the server cannot send \
          events for now; `event: gap` follows once it can. After an interruption, `Last-Event-ID` resumes within \
          5 minutes or 1000 events. A client that is too slow is cut off and may resume. The stream begins with an `id`, so that a \
          client that is interrupted before the first event can resume.
          """,
        tag: "Gardens",
        parameters: [
          .header("Last-Event-ID", .string(), "The id of the last event that you have."),
          .query("lastEventId", .string(), "`Last-Event-ID` for clients that cannot send headers."),
          .query(
            "ticket", .string(),
            "A ticket of `POST /api/gardens/{id}/events/tickets`, for clients that cannot send headers."),
        ],
        success: Endpoint.Success(200, Readings.gardenReading, mediaTypes: ["text/event-stream"]),
        handler: .async(watch))
    ]
  }

  private static let headers: HeaderList = [
    "Content-Type": "text/event-stream", "Cache-Control": "no-store",
    // nginx would hold events back until its buffer is full.
    "X-Accel-Buffering": "no",
  ]
  /// Tells the client after how many milliseconds to reconnect, and shows proxies that data comes.
  private static let greeting = Array("retry: 2000\n\n".utf8)

  private func watch(_ call: Call) async throws -> Response {
    let garden = try call.identifier("id")
    let query = try call.query()
    let isHead = call.request.method == .head
    if case .anonymous = call.identity, let ticket = try query.value("ticket") {
      // HEAD uses nothing up: the GET that follows needs the ticket.
      call.identity = try await EventTickets(context: context).holder(
        of: ticket, for: garden, at: call.now, isUsed: !isHead)
    }
    let role = try await GardenAccess(context: context).requireReader(call.identity, of: garden)
    if isHead { return Response(.ok, headers: Self.headers, body: .stream { _ in }) }
    let last = try call.request.header("Last-Event-ID") ?? query.value("lastEventId")
    // An id ahead of every clock was never given, and no event would come behind it.
    let resumed = last.flatMap { EventID($0) }.flatMap { id in
      id.milliseconds < UInt64(call.now.unixMilliseconds) + EventID.clockMilliseconds ? id : nil
    }
    let seat = try await broker.watch(garden, call.identity, role, client: call.client, after: resumed)
    return Response(
      .ok, headers: Self.headers,
      body: .stream { writer in
        let watcher = seat.watcher
        writer.onClose { watcher.end() }
        try await writer.write(Self.greeting)
        while let piece = await watcher.next() { try await writer.write(piece) }
      })
  }
}
