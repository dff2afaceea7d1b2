import HTTP
import JSON
import Postgres
import Values
import Web

/// Local businesses: found by everyone, changed by their owners.
struct Businesses: EndpointGroup {
  /// The longest text that is searched for, in Unicode scalars.
  static let maximumSearchLength = 200

  let context: LoopContext

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "listBusinesses", method: .get, template: "/api/businesses", access: .anyone, summary: "Find businesses",
        details: """
          Nearest first with `near`, otherwise best match first with `q`, otherwise newest first. A word of `q` finds \
          words that begin with it, regardless of case and accents, also in the names of products.
          """,
        tag: "Businesses",
        parameters: [
          .query(
            "q", .string(maxLength: Self.maximumSearchLength),
            """
            Words to find in name, category, description and products; `"in quotes"`, `or` and `-not` are understood.
            """),
          .query("category", .string(pattern: Business.categoryPattern), "Only businesses of this category."),
          .query("owner", .cases(of: OwnerFilter.self), "`me` keeps only your own."),
        ] + Nearby.parameters + PageRequest.parameters,
        success: Endpoint.Success(200, .page(of: "BusinessPage", Business.schema), headers: ["ETag", "Link"]),
        scopes: [.read, .orders],
        handler: .cached(list)),
      Endpoint(
        "getBusiness", method: .get, template: "/api/businesses/{id}", access: .anyone, summary: "A business",
        tag: "Businesses",
        success: Endpoint.Success(200, Business.schema, headers: ["ETag"]),
        scopes: [.read, .orders], handler: .cached(show)),
      Endpoint(
        "createBusiness", method: .post, template: "/api/businesses", access: .user, summary: "Open a business",
        details: """
          A user has at most \(BusinessInput.maximumOfOwner) businesses at a time, and opens at most \
          \(BusinessInput.maximumEver) in all.
          """,
        tag: "Businesses",
        parameters: [.idempotencyKey()],
        body: .json(
          BusinessInput.self,
          example: #"{"name":"Hill Farm","category":"vegetables","location":{"latitude":47.1,"longitude":8.5}}"#),
        success: Endpoint.Success(201, Business.schema, headers: ["Location", "ETag"]), refusals: [.conflict],
        handler: .async(create)),
      Endpoint(
        "updateBusiness", method: .patch, template: "/api/businesses/{id}", access: .user,
        summary: "Change your business",
        tag: "Businesses", body: .mergePatch(BusinessChange.self, example: #"{"description":"Open on Saturdays."}"#),
        success: Endpoint.Success(200, Business.schema, headers: ["ETag"]),
        handler: .async(change)),
    ]
  }

  // MARK: Reading

  private func list(_ call: Call) throws -> CachedAnswer {
    let query = try call.query()
    let search = try query.search("q", maximumLength: Self.maximumSearchLength)
    let category = try query.value("category")
    if let category, !Business.isCategory(category) {
      throw Problem(.malformed, "category must match \(Business.categoryPattern).")
    }
    let owner = try query.word("owner", OwnerFilter.self).map { _ in try call.user.id }
    let near = try Nearby(query)
    if search != nil || near != nil {
      return try find(call, query, words: search, in: category, near: near, of: owner)
    }
    let name = [owner.map { "own:\($0)" }, category].compactMap(\.self).joined(separator: ":")
    let page = try call.identifierPage(query, list: "businesses:\(name)")
    let key = "\(page.limit):\(page.before):\(name)"
    return CachedAnswer(CacheKey("businesses", key, tag: .businesses), isList: true) {
      let database = context.database
      let rows =
        if let owner {
          try await database.query(Self.owned, page.before, page.rowLimit, owner, category)
        } else if let category {
          try await database.query(Self.inCategory, page.before, page.rowLimit, category)
        } else {
          try await database.query(Self.all, page.before, page.rowLimit)
        }
      return try page.body(call, rows, Business.init)
    }
  }

  // Its name is a schema of the API (`cases(of:)`).
  private enum OwnerFilter: String, CaseIterable { case me }

  /// Finds the best matches, or the nearest.
  private func find(
    _ call: Call, _ query: Query, words search: String?, in category: String?, near: Nearby?, of owner: Identifier?
  ) throws -> CachedAnswer {
    let what = "\(category ?? ""):\(near?.text ?? ""):\(search ?? "")"
    let whose = owner.map { "own:\($0):" } ?? ""
    let page = try call.rankedPage(query, list: "businesses:\(whose)found:\(what)")
    let (after, id) = (page.after?.number, page.after?.id ?? Identifier(high: .max, low: .max))
    let key = "\(whose)found:\(page.rowLimit):\(after.map { "\($0)" } ?? ""):\(id):\(what)"
    return CachedAnswer(CacheKey("businesses", key, tag: .businesses), isList: true) {
      let rows = try await context.longReads.read(for: call.client) { database in
        guard let near else {
          return try await database.query(Self.matching, page.rowLimit, after, id, category, search, owner)
        }
        return try await database.query(
          search == nil ? Self.near : Self.nearMatching, page.rowLimit, after, id, category, near.latitude,
          near.longitude, near.kilometres, near.boxes.0, near.boxes.1, search, owner)
      }
      return try page.body(call, rows, Business.init)
    }
  }

  private func show(_ call: Call) throws -> CachedAnswer {
    let (id, context) = (try call.identifier("id"), context)
    return CachedAnswer(CacheKey("business", .business(id))) {
      context.database.prepared(Self.byID, id)
    } body: { rows in
      guard let row = rows.first else { throw Self.missing }
      return try Business(row).body
    }
  }

  // MARK: Changing

  private func create(_ call: Call) async throws -> Response {
    let owner = try call.user.id
    let new = try call.form(BusinessInput.self)
    return try await call.makeOnce { transaction, tags in
      tags = [.businesses]
      let made = BusinessInput.Row(id: context.makeIdentifier(), new: new, createdAt: call.now, updatedAt: call.now)
      let business = try Business(try await BusinessInput.insert([made], of: owner, in: transaction)[0])
      try await BusinessInput.checkBound(of: owner, in: transaction)
      return Made(location: "/api/businesses/\(business.id)", body: business.body)
    }.response
  }

  private func change(_ call: Call) async throws -> Response {
    let change = try call.form(BusinessChange.self)
    let business = try await context.cache.change { transaction, tags in
      let before = try await Self.own(call, Self.lock, in: transaction)
      tags = [.business(before.id), .businesses]
      return try await change.write(over: before, at: call.now, in: transaction)
    }
    return call.ok(business.body)
  }

  /// Returns the business that the path names, locked by `statement`. Throws 404 when there is none, 403 when it is
  /// someone else's, 412 when the client has read another version.
  static func own(_ call: Call, _ statement: Statement, in transaction: Transaction) async throws -> Business {
    let user = try call.user.id
    guard let row = try await transaction.query(statement, try call.identifier("id")).first else { throw missing }
    let business = try Business(row)
    guard business.owner == user else { throw Problem(.forbidden, "Only its owner may change a business.") }
    try call.requireMatch(business.body)
    return business
  }

  private static var missing: Problem { Problem(.notFound, "There is no business with this id.") }

  // MARK: SQL

  private static let all = select("businesses.all", "")
  private static let inCategory = select("businesses.category", "AND category = $3")
  private static let owned = select(
    "businesses.owned", "AND owner_id = $3 AND ($4::text IS NULL OR category = $4)")

  /// The words of a query, each taken as a prefix: `'hil' & !'far'` becomes `'hil':* & !'far':*`.
  private static func words(_ text: String) -> String {
    """
    regexp_replace(
      websearch_to_tsquery('simple', search_text(\(text)))::text, $$'((?:[^']|'')*)'$$, $$'\\1':*$$, 'g')::tsquery
    """
  }

  /// A page of what `condition` finds, in the order of `number`; behind the number `$2` and the id `$3`, unless `$2` is
  /// NULL.
  private static func found(_ name: String, by number: String, isAscending: Bool, _ condition: String) -> Statement {
    let (order, after) = isAscending ? ("", ">") : (" DESC", "<")
    return Statement(
      name,
      """
      SELECT * FROM (
        SELECT \(Business.columns), (\(number))::float8 AS number FROM businesses
        WHERE deleted_at IS NULL AND ($4::text IS NULL OR category = $4) AND \(condition)
      ) found
      WHERE $2::float8 IS NULL OR number \(after) $2 OR (number = $2 AND id < $3)
      ORDER BY number\(order), id DESC LIMIT $1
      """)
  }

  /// Whether a business has the words of a query. One of excluded words alone finds nothing, since no index could serve
  /// it.
  private static func areIn(_ text: String) -> String {
    """
    querytree(\(words(text))) NOT IN ('', 'T')
      AND id IN (SELECT business_id FROM business_words WHERE words @@ \(words(text)))
    """
  }

  static let matching = found(
    "businesses.search",
    by: "(SELECT ts_rank(w.words, \(words("$5"))) FROM business_words w WHERE w.business_id = businesses.id)",
    isAscending: false, "\(areIn("$5")) AND \(isOf("$6"))")
  private static let near = nearest("businesses.near", "$10::text IS NULL")
  private static let nearMatching = nearest("businesses.nearSearch", areIn("$10"))
  private static func isOf(_ owner: String) -> String { "(\(owner)::uuid IS NULL OR owner_id = \(owner))" }

  private static func nearest(_ name: String, _ condition: String) -> Statement {
    let distance = Nearby.distance(latitude: "$5", longitude: "$6")
    return found(
      name, by: distance, isAscending: true,
      "\(Nearby.isWithin("$8", "$9")) AND \(distance) <= $7::float8 AND \(condition) AND \(isOf("$11"))")
  }

  private static func select(_ name: String, _ condition: String) -> Statement {
    Statement(
      name,
      """
      SELECT \(Business.columns) FROM businesses
      WHERE deleted_at IS NULL AND id < $1 \(condition) ORDER BY id DESC LIMIT $2
      """)
  }

  static let selectByID = "SELECT \(Business.columns) FROM businesses WHERE id = $1 AND deleted_at IS NULL"
  private static let byID = Statement("businesses.byID", selectByID)
  private static let lock = Statement("businesses.lock", "\(selectByID) FOR NO KEY UPDATE")
}

extension Query {
  /// Reads words to search for; nil when there are none. Throws 400 when they are too long or hold control characters.
  fileprivate func search(_ name: String, maximumLength: Int) throws -> String? {
    guard let text = try value(name)?.trimmingSpaces, !text.isEmpty else { return nil }
    guard text.unicodeScalars.count <= maximumLength,
      text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
    else {
      throw Problem(
        .malformed, "\(name) must have at most \(maximumLength) characters, and no control characters.")
    }
    return text
  }
}
