import Agronomy
import HTTP
import JSON
import Postgres
import Settings
import Values
import Web

/// Readings of devices: stored, and read back raw or in buckets.
struct Readings: EndpointGroup {
  static let template = "/api/devices/{id}/readings"
  static let lines = "application/x-ndjson"

  let context: LoopContext
  let sensorTypes: SensorTypes
  let deviceTypes: DeviceTypes
  let writer: ReadingsWriter
  let lastSeen: LastSeen
  let meters: ReadingMeters

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "storeReadings", method: .post, template: Self.template, access: .userOrDevice, summary: "Store readings",
        details: """
          1 to 1000 readings, as one document or one reading per line. When the answer comes, they are on disk. Sending \
          them again is safe: a stored reading counts as a duplicate. A faulty reading is rejected alone. Known sensor \
          types, with unit and range: \(Self.knownTypes).
          """,
        tag: "Readings", body: Self.body, success: Endpoint.Success(200, Self.receipt),
        refusals: [.noValidReading], handler: .async(post)),
      Endpoint(
        "storeOwnReadings", method: .post, template: "/api/readings", access: .device,
        summary: "Store a device's own readings",
        details: "Like `POST /api/devices/{id}/readings`; the key identifies the device.",
        tag: "Readings", body: Self.body, success: Endpoint.Success(200, Self.receipt),
        refusals: [.notFound, .noValidReading], handler: .async(postOwn)),
      Endpoint(
        "listReadings", method: .get, template: Self.template, access: .userOrDevice, summary: "Read readings",
        details: """
          Ascending by time and sensor type; the last 24 hours by default. CSV has the same columns, and the whole \
          range unless `limit` is given.
          """,
        tag: "Readings", parameters: ReadingsQuery.parameters,
        success: Endpoint.Success(
          200, Self.page, mediaTypes: ReadingsForm.mediaTypes, headers: ["ETag", "Link"]),
        handler: .async(list)),
      Endpoint(
        "listGardenReadings", method: .get, template: "/api/gardens/{id}/readings", access: .anyone,
        summary: "Read the readings of all devices of a garden",
        details: """
          One device after another, each as in `GET /api/devices/{id}/readings`, with `deviceId`. A page covers at \
          most \(ReadingsQuery.maximumDevices) devices, and so may have fewer items than `limit`, or none, before the \
          last one.
          """,
        tag: "Readings", parameters: ReadingsQuery.parameters,
        success: Endpoint.Success(
          200, Self.gardenPage, mediaTypes: ReadingsForm.mediaTypes, headers: ["ETag", "Link"]),
        handler: .async(listOfGarden)),
    ]
  }

  /// The known sensor types as a sentence.
  private static let knownTypes = KnownSensor.allCases.map { sensor in
    let (low, high) = (Int(sensor.range.lowerBound), Int(sensor.range.upperBound))
    return "`\(sensor.rawValue)` \(low) to \(high)\(sensor.sentenceUnit)"
  }.joined(separator: ", ")

  // MARK: Access

  /// Returns the device of the path: the caller itself, or one in a garden where the user has `role`. Throws 404 for
  /// any other, and 403 when the user's role is less.
  private func device(_ call: Call, as role: GardenRole) async throws -> DeviceIdentity {
    let id = try call.identifier("id")
    switch call.identity {
    case .device(let device) where device.id == id: return device
    case .user(let user):
      return try await DeviceAccess(context: context).device(id, for: user, as: role)
    case .device, .anonymous: throw DeviceAccess.notFound
    }
  }

  // MARK: Storing

  private func post(_ call: Call) async throws -> Response {
    try await store(call, of: try await device(call, as: .editor))
  }

  private func postOwn(_ call: Call) async throws -> Response { try await store(call, of: try call.device) }

  private func store(_ call: Call, of origin: DeviceIdentity) async throws -> Response {
    var decoder = ReadingsDecoder(
      window: ReadingWindow(now: call.now, rawDays: context.configuration.readings.rawDays),
      types: sensorTypes)
    if try isLines(call) {
      try decoder.readLines(call.request.body)
    } else {
      try decoder.readDocument(call.request.body)
    }
    let (stored, refused) = try await store(decoder.readings, of: origin)
    let rejections = Self.rejections(decoder.rejections + refused, stored.conflicts)
    meters.count(origin.id, stored, rejections: rejections)
    return try Self.answer(stored, rejections)
  }

  /// Stores the readings whose sensor types the device declares and has room for. When nobody can say whether they were
  /// committed, answers 503: sending them again is safe.
  private func store(
    _ readings: [Reading], of origin: DeviceIdentity
  ) async throws -> (stored: StoredReadings, refused: [Rejection]) {
    do {
      let (declared, undeclared) = DeclaredTypes(names: origin.sensorTypes).admit(readings)
      let (readings, beyond) = try await deviceTypes.admit(declared, of: origin.id)
      let refused = undeclared + beyond
      if readings.isEmpty { return (StoredReadings(), refused) }
      let stored = try await writer.store(
        ReadingsSubmission(device: origin.id, garden: origin.garden, readings: readings), at: context.now)
      await context.replicaReads.noteStored(of: [origin.id, origin.garden])
      lastSeen.note(origin.id, at: context.now)
      return (stored, refused)
    } catch  where error is PerhapsStored || (error as? PostgresError)?.outcomeIsUnknown == true {
      // If they are, the newest readings in Redis lack them. Postgres may also commit them later than this, once it has
      // recovered.
      await context.cache.invalidate([.latest(in: origin.garden)])
      context.cache.changeWasLost()
      for notify in writer.onDoubt { notify(origin.garden) }
      throw Problem(.unavailable, "The readings cannot be stored at the moment. Send them again.", cause: "\(error)")
    }
  }

  /// Whether the body has one reading on each line; throws 415 when it is neither that nor a document.
  private func isLines(_ call: Call) throws -> Bool {
    let plain = call.request.withHeader("Content-Type") { $0.elementsEqual(ReadingsForm.json.utf8) }
    if plain == true { return false }
    return try call.requireMediaType([ReadingsForm.json, Self.lines]) == Self.lines
  }

  private static func rejections(_ invalid: [Rejection], _ conflicts: [Reading]) -> [Rejection] {
    let all = invalid + conflicts.map { Rejection(index: $0.index, reason: .conflict, type: $0.type) }
    return all.sorted { $0.index < $1.index }
  }

  private static func answer(_ stored: StoredReadings, _ rejections: [Rejection]) throws -> Response {
    guard !stored.accepted.isEmpty || !stored.duplicates.isEmpty else {
      var problem = Problem(.noValidReading, "None of the readings was accepted; `rejected` says why.")
      var json = JSONWriter()
      write(rejections, &json)
      problem.extensions = [("rejected", json.take())]
      throw problem
    }
    var json = JSONWriter()
    json.object { json in
      json.member("accepted", stored.accepted.count)
      json.member("duplicates", stored.duplicates.count)
      json.key("rejected")
      write(rejections, &json)
    }
    return Response(.ok, headers: receiptHeaders, body: .bytes(json.take()))
  }

  private static let receiptHeaders: HeaderList = [
    "Content-Type": "application/json", "Cache-Control": "private, no-cache",
  ]

  private static func write(_ rejections: [Rejection], _ json: inout JSONWriter) {
    json.array { json in
      for rejection in rejections {
        json.object { json in
          json.member("index", rejection.index)
          json.member("reason", rejection.reason.rawValue)
          json.member("pointer", ifPresent: rejection.pointer)
          json.member("nearest", ifPresent: rejection.nearestType)
        }
      }
    }
  }

  // MARK: Reading

  private func list(_ call: Call) async throws -> Response {
    let origin = try await device(call, as: .viewer)
    var query = try ReadingsQuery(call, devices: [origin.id], of: origin.id, types: sensorTypes)
    try await query.settle(context.database)
    return try await ReadingsAnswer(context: context, owner: origin.id, query: query).response(to: call)
  }

  private func listOfGarden(_ call: Call) async throws -> Response {
    let garden = try call.identifier("id")
    try await GardenAccess(context: context).requireReader(call.identity, of: garden)
    let devices = try await context.database.query(Self.devices, garden).map { try $0.decode(Identifier.self, 0) }
    var query = try ReadingsQuery(call, devices: devices, of: garden, types: sensorTypes)
    try await query.settle(context.database)
    return try await ReadingsAnswer(context: context, owner: garden, query: query).response(to: call)
  }

  private static let devices = Statement(
    "readings.devices", "SELECT id FROM devices WHERE garden_id = $1 ORDER BY id")
}
