import HTTP
import JSON
import Postgres
import Values
import Web

/// What businesses sell.
struct Products: EndpointGroup {
  let context: LoopContext

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "listProducts", method: .get, template: "/api/businesses/{id}/products", access: .anyone,
        summary: "What a business sells",
        details: "Newest first.", tag: "Products", parameters: PageRequest.parameters,
        success: Endpoint.Success(200, .page(of: "ProductPage", Product.schema), headers: ["ETag", "Link"]),
        scopes: [.read, .orders], handler: .cached(list)),
      Endpoint(
        "getProduct", method: .get, template: "/api/products/{id}", access: .anyone, summary: "A product",
        tag: "Products",
        success: Endpoint.Success(200, Product.schema, headers: ["ETag"]),
        scopes: [.read, .orders], handler: .cached(show)),
      Endpoint(
        "createProduct", method: .post, template: "/api/businesses/{id}/products", access: .user,
        summary: "Offer a product",
        details: "A business has at most \(ProductInput.maximumOfBusiness) products at a time.",
        tag: "Products", parameters: [.idempotencyKey()],
        body: .json(
          ProductInput.self,
          example: #"{"name":"Carrots","price":{"amount":350,"currency":"EUR"},"unit":"kg","stock":40}"#),
        success: Endpoint.Success(201, Product.schema, headers: ["Location", "ETag"]),
        refusals: [.conflict], handler: .async(create)),
      Endpoint(
        "updateProduct", method: .patch, template: "/api/products/{id}", access: .user,
        summary: "Change a product of yours",
        tag: "Products", body: .mergePatch(ProductChange.self, example: #"{"stock":25}"#),
        success: Endpoint.Success(200, Product.schema, headers: ["ETag"]),
        handler: .async(change)),
      Endpoint(
        "deleteProduct", method: .delete, template: "/api/products/{id}", access: .user,
        summary: "Take a product off the market",
        details: "Its orders stay as they are.", tag: "Products", success: Endpoint.Success(204),
        handler: .async(delete)),
    ]
  }

  // MARK: Reading

  private func list(_ call: Call) throws -> CachedAnswer {
    let (business, context) = (try call.identifier("id"), context)
    let page = try call.identifierPage(try call.query(), list: "products:\(business)")
    let key = CacheKey("products", "\(business):\(page.limit):\(page.before)", tag: .products(of: business))
    return CachedAnswer(key, isList: true) {
      let rows = try await context.database.query(Self.byBusiness, business, page.before, page.rowLimit)
      if rows.isEmpty, try await context.database.query(Self.owner, business).isEmpty { throw Self.noBusiness }
      return try page.body(call, rows, Product.init)
    }
  }

  private func show(_ call: Call) throws -> CachedAnswer {
    let (id, context) = (try call.identifier("id"), context)
    return CachedAnswer(CacheKey("product", .product(id))) {
      context.database.prepared(Self.byID, id)
    } body: { rows in
      guard let row = rows.first else { throw Self.missing }
      return try Product(row).body
    }
  }

  // MARK: Changing

  private func create(_ call: Call) async throws -> Response {
    let (business, user) = (try call.identifier("id"), try call.user.id)
    let new = try call.form(ProductInput.self)
    return try await call.makeOnce { transaction, tags in
      tags = [.products(of: business), .businesses]
      let made = ProductInput.Row(
        id: context.makeIdentifier(), business: business, new: new, createdAt: call.now, updatedAt: call.now)
      guard let row = try await ProductInput.insert([made], of: user, in: transaction).first else {
        let exists = try await !transaction.query(Self.owner, business).isEmpty
        throw exists ? Self.notYours : Self.noBusiness
      }
      try await ProductInput.bound.check(of: business, in: transaction)
      let product = try Product(row)
      return Made(location: "/api/products/\(product.id)", body: product.body)
    }.response
  }

  private func change(_ call: Call) async throws -> Response {
    let change = try call.form(ProductChange.self)
    let product = try await context.cache.change { transaction, tags in
      // Locked, so that no sale is lost between reading the stock and writing it.
      let before = try await own(call, in: transaction)
      tags = Self.tags(of: before)
      if let name = change.name, name != before.name { tags.append(.businesses) }
      return try await change.write(over: before, at: call.now, in: transaction)
    }
    return call.ok(product.body)
  }

  private func delete(_ call: Call) async throws -> Response {
    try await context.cache.change { transaction, tags in
      let product = try await own(call, in: transaction)
      tags = Self.tags(of: product) + [.businesses]
      try await transaction.execute(Self.delete, product.id, call.now)
    }
    return call.noContent()
  }

  /// Returns the product that the path names, locked. Throws 404 when there is none, 403 when it is someone else's, 412
  /// when the client has read another version.
  private func own(_ call: Call, in transaction: Transaction) async throws -> Product {
    let (id, user) = (try call.identifier("id"), try call.user.id)
    guard let row = try await transaction.query(Self.lock, id).first else { throw Self.missing }
    var columns = row.columns
    let product = try Product(&columns)
    guard try columns.next(Identifier?.self) == user else { throw Self.notYours }
    try call.requireMatch(product.body)
    return product
  }

  /// The tags of what shows a product. Searches for businesses find it by its name; their tag is added where the name
  /// is new, changed or gone.
  private static func tags(of product: Product) -> [CacheTag] {
    [.product(product.id), .products(of: product.business)]
  }

  private static var missing: Problem { Problem(.notFound, "There is no product with this id.") }
  private static var noBusiness: Problem { Problem(.notFound, "There is no business with this id.") }
  private static var notYours: Problem { Problem(.forbidden, "Only the owner of the business may do this.") }

  // MARK: SQL

  private static let byBusiness = Statement(
    "products.byBusiness",
    """
    SELECT \(Product.columns) FROM products
    WHERE business_id = $1 AND deleted_at IS NULL AND id < $2 ORDER BY id DESC LIMIT $3
    """)
  private static let byID = Statement(
    "products.byID", "SELECT \(Product.columns) FROM products WHERE id = $1 AND deleted_at IS NULL")
  private static let owner = Statement(
    "products.owner", "SELECT owner_id FROM businesses WHERE id = $1 AND deleted_at IS NULL")
  private static let lock = Statement(
    "products.lock",
    """
    SELECT \(Product.columns), businesses.owner_id FROM products JOIN businesses ON businesses.id = products.business_id
    WHERE products.id = $1 AND products.deleted_at IS NULL FOR NO KEY UPDATE OF products
    """)
  private static let delete = Statement("products.delete", "UPDATE products SET deleted_at = $2 WHERE id = $1")
}
