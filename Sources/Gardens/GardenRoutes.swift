import HTTP
import JSON
import Postgres
import Values
import Web

/// Gardens: what grows where, for oneself or for everyone to see.
struct GardenRoutes: EndpointGroup {
  let context: LoopContext
  let changes: GardenChanges

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "listGardens", method: .get, template: "/api/gardens", access: .anyone,
        summary: "Public gardens, your own and those shared with you",
        details: "Newest first; with `near`, nearest first. `near` finds public gardens only, unless `owner` is given.",
        tag: "Gardens",
        parameters: PageRequest.parameters + [
          .query(
            "owner", .cases(of: GardenOwner.self), "`me` keeps only your own gardens, `others` those shared with you.")
        ] + Nearby.parameters,
        success: Endpoint.Success(200, .page(of: "GardenPage", Garden.schema), headers: ["ETag", "Link"]),
        handler: .cached(list, personal: .task(listForUser))),
      Endpoint(
        "createGarden", method: .post, template: "/api/gardens", access: .user, summary: "Make a garden",
        details: "It is private by default. A user owns at most \(GardenInput.maximumOfOwner) gardens at a time.",
        tag: "Gardens", parameters: [.idempotencyKey()],
        body: .json(
          GardenInput.self,
          example: #"{"name":"South slope","location":{"latitude":48.14,"longitude":11.58},"areaSquareMetres":120}"#),
        success: Endpoint.Success(201, Garden.schema, headers: ["Location", "ETag"]), refusals: [.conflict],
        handler: .async(create)),
      Endpoint(
        "getGarden", method: .get, template: "/api/gardens/{id}", access: .anyone, summary: "A garden", tag: "Gardens",
        success: Endpoint.Success(200, Garden.schema, headers: ["ETag"]),
        handler: .cached(show, personal: .row(showForUser))),
      Endpoint(
        "updateGarden", method: .patch, template: "/api/gardens/{id}", access: .user,
        summary: "Change a garden",
        tag: "Gardens", body: .mergePatch(GardenChange.self, example: #"{"public":true,"areaSquareMetres":null}"#),
        success: Endpoint.Success(200, Garden.schema, headers: ["ETag"]),
        handler: .async(change)),
      Endpoint(
        "deleteGarden", method: .delete, template: "/api/gardens/{id}", access: .user,
        summary: "Delete a garden of yours with its devices, readings and insights", tag: "Gardens",
        success: Endpoint.Success(204),
        handler: .async(delete)),
    ]
  }

  // MARK: Reading

  // Its name is a schema of the API (`cases(of:)`).
  private enum GardenOwner: String, CaseIterable { case me, others }

  private func list(_ call: Call) throws -> CachedAnswer {
    let query = try call.query()
    // `owner` refers to the caller, so it needs a signed-in user: 401 for anyone else.
    if try query.word("owner", GardenOwner.self) != nil { _ = try call.user }
    if let near = try Nearby(query) { return try list(call, query, near: near) }
    let (page, context) = (try call.identifierPage(query, list: "gardens"), context)
    return CachedAnswer(CacheKey("gardens", "\(page.limit):\(page.before)", tag: .gardens), isList: true) {
      let rows = try await context.database.query(Self.publicOnes, page.before, page.rowLimit)
      return try page.body(call, rows, Garden.init)
    }
  }

  /// Lists the nearest public gardens.
  private func list(_ call: Call, _ query: Query, near: Nearby) throws -> CachedAnswer {
    let page = try call.rankedPage(query, list: "gardens:\(near.text)")
    let after = page.after.map { "\($0.number):\($0.id)" } ?? ""
    let key = "near:\(page.rowLimit):\(after):\(near.text)"
    return CachedAnswer(CacheKey("gardens", key, tag: .gardens), isList: true) {
      try await nearest(call, page, near, by: Self.nearestPublic, of: nil)
    }
  }

  private func nearest(
    _ call: Call, _ page: RankedPage, _ near: Nearby, by statement: Statement, of user: Identifier?
  ) async throws -> [UInt8] {
    // All gardens around the place are read and sorted for each page.
    let rows = try await context.longReads.read(for: call.client) {
      try await $0.query(
        statement, page.rowLimit, page.after?.number, page.after?.id ?? Identifier(high: .max, low: .max),
        near.latitude, near.longitude, near.kilometres, near.boxes.0, near.boxes.1, user)
    }
    return try page.body(call, rows, Garden.init)
  }

  private func listForUser(_ call: Call) async throws -> Response {
    let (user, query) = (try call.user.id, try call.query())
    let owner = try query.word("owner", GardenOwner.self)
    let near = try Nearby(query)
    guard let owner else {
      // Near a place a user finds what everyone finds: the public gardens.
      if let near { return call.list(try await list(call, query, near: near).load()) }
      return try await listNewest(call, query, Self.visible, of: user, list: "gardens:\(user)")
    }
    let (newest, byDistance, name) =
      switch owner {
      case .me: (Self.owned, Self.nearestOwned, "gardens:own:\(user)")
      case .others: (Self.shared, Self.nearestShared, "gardens:shared:\(user)")
      }
    guard let near else { return try await listNewest(call, query, newest, of: user, list: name) }
    let page = try call.rankedPage(query, list: "\(name):\(near.text)")
    return call.list(try await nearest(call, page, near, by: byDistance, of: user))
  }

  private func listNewest(
    _ call: Call, _ query: Query, _ statement: Statement, of user: Identifier, list: String
  ) async throws -> Response {
    let page = try call.identifierPage(query, list: list)
    let rows = try await context.database.query(statement, user, page.before, page.rowLimit)
    return call.list(try page.body(call, rows, Garden.init))
  }

  /// Shows a public garden: only what everyone may see is kept in the shared cache.
  private func show(_ call: Call) throws -> CachedAnswer {
    let (id, context) = (try call.identifier("id"), context)
    return CachedAnswer(CacheKey("garden", .garden(id))) {
      context.database.prepared(Self.publicByID, id)
    } body: {
      try Self.body($0)
    }
  }

  private func showForUser(_ call: Call) throws -> RowAnswer {
    let (user, id) = (try call.user.id, try call.identifier("id"))
    return RowAnswer(context.database.prepared(Self.visibleByID, id, user)) { $0.ok(try Self.body($1)) }
  }

  private static func body(_ rows: Rows) throws -> [UInt8] {
    guard let row = rows.first else { throw GardenAccess.notFound }
    return try Garden(row).body
  }

  // MARK: Changing

  private func create(_ call: Call) async throws -> Response {
    let user = try call.user
    let new = try call.form(GardenInput.self)
    return try await call.makeOnce { transaction, tags in
      if new.isPublic { tags = [.gardens] }
      var new = new
      new.timeZone = try await TimeZoneName.settled(new.timeZone, in: transaction)
      let made = GardenInput.Row(id: context.makeIdentifier(), new: new, createdAt: call.now, updatedAt: call.now)
      let garden = try Garden(try await GardenInput.insert([made], of: user.id, in: transaction)[0])
      try await GardenInput.checkBound(of: user.id, in: transaction)
      return Made(location: "/api/gardens/\(garden.id)", body: garden.body)
    }.response
  }

  private func change(_ call: Call) async throws -> Response {
    let (user, id) = (try call.user, try call.identifier("id"))
    let change = try call.form(GardenChange.self)
    let garden = try await changes.commit(id) { transaction in
      let before = try await Self.take(id, for: user, as: .manager, by: Self.lockByID, in: transaction)
      try call.requireMatch(before.body)
      if let isPublic = change.isPublic, isPublic != before.isPublic, user.session == nil {
        throw Problem(.forbidden, "A personal access token cannot change who may see a garden; sign in.")
      }
      return try await change.write(over: before, at: call.now, in: transaction)
    }
    return call.ok(garden.body)
  }

  private func delete(_ call: Call) async throws -> Response {
    let (user, id) = (try call.user, try call.identifier("id"))
    let devices = try await context.erasures.turn(of: user.id) {
      try await changes.commit(id, timeoutMilliseconds: Erasing.timeoutMilliseconds) { transaction in
        let garden = try await Self.take(id, for: user, as: .owner, by: Self.lockForDeletion, in: transaction)
        try call.requireMatch(garden.body)
        let devices = try await transaction.query(Self.devices, id).map { try $0.decode(Identifier.self, 0) }
        try await ErasedDevices.deleteReadings(of: devices, in: transaction)
        try await transaction.execute(Self.deleteByID, id)
        return devices
      }
    }
    await context.deviceKeys.changed(devices)
    return call.noContent()
  }

  /// Returns the garden, locked until the transaction's end. Throws 404 or 403 unless the user has `role` in it.
  private static func take(
    _ id: Identifier, for user: UserIdentity, as role: GardenRole, by lock: Statement, in transaction: Transaction
  ) async throws -> Garden {
    guard let row = try await transaction.query(lock, id, user.id).first else { throw GardenAccess.notFound }
    var columns = row.columns
    let garden = try Garden(&columns)
    try role.require(&columns)
    return garden
  }

  // MARK: SQL

  private static let columns = Garden.columns

  private static let publicOnes = Statement(
    "gardens.public", "SELECT \(columns) FROM gardens WHERE public AND id < $1 ORDER BY id DESC LIMIT $2")
  // $9 is NULL here and the user in the other two, so that one call binds all three.
  private static let nearestPublic = nearest("gardens.near", "public AND $9::uuid IS NULL")
  private static let nearestOwned = nearest("gardens.nearOwned", "owner_id = $9")
  private static let nearestShared = nearest("gardens.nearShared", isShared(with: "$9"))
  private static func nearest(_ name: String, _ condition: String) -> Statement {
    let distance = Nearby.distance(latitude: "$4", longitude: "$5")
    return Statement(
      name,
      """
      SELECT * FROM (
        SELECT \(columns), \(distance)::float8 AS number FROM gardens
        WHERE \(condition) AND \(Nearby.isWithin("$7", "$8")) AND \(distance) <= $6::float8
      ) found
      WHERE $2::float8 IS NULL OR number > $2 OR (number = $2 AND id < $3) ORDER BY number, id DESC LIMIT $1
      """)
  }
  private static let owned = Statement(
    "gardens.owned", "SELECT \(columns) FROM gardens WHERE owner_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3")
  private static let shared = Statement(
    "gardens.shared",
    """
    SELECT \(columns) FROM gardens WHERE \(isShared(with: "$1")) AND id < $2 ORDER BY id DESC LIMIT $3
    """)
  private static func isShared(with user: String) -> String {
    "id = ANY (ARRAY(SELECT garden_id FROM garden_members WHERE user_id = \(user)))"
  }
  // Each part is a short walk along an index; an OR would read all public gardens and sort them.
  private static let visible = Statement(
    "gardens.visible",
    """
    (SELECT \(columns) FROM gardens WHERE public AND id < $2 ORDER BY id DESC LIMIT $3)
    UNION ALL
    (SELECT \(columns) FROM gardens WHERE owner_id = $1 AND NOT public AND id < $2 ORDER BY id DESC LIMIT $3)
    UNION ALL
    (SELECT \(columns) FROM gardens WHERE \(isShared(with: "$1")) AND NOT public AND id < $2 ORDER BY id DESC LIMIT $3)
    ORDER BY id DESC LIMIT $3
    """)
  private static let publicByID = Statement(
    "gardens.publicByID", "SELECT \(columns) FROM gardens WHERE id = $1 AND public")
  private static let byID =
    "SELECT \(columns), \(GardenRole.column(of: "$2")) FROM gardens "
    + "WHERE id = $1 AND \(GardenRole.isVisible(to: "$2"))"
  private static let visibleByID = Statement("gardens.visibleByID", byID)
  /// Lets transactions pass whose rows refer to the garden, such as an insight.
  private static let lockByID = Statement("gardens.lock", "\(byID) FOR NO KEY UPDATE")
  private static let lockForDeletion = Statement("gardens.lockForDeletion", "\(byID) FOR UPDATE")
  private static let devices = Statement(
    "gardens.devices", "SELECT id FROM devices WHERE garden_id = $1 ORDER BY id FOR UPDATE")
  private static let deleteByID = Statement("gardens.delete", "DELETE FROM gardens WHERE id = $1")
}
