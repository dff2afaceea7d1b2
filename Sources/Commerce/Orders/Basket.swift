import JSON
import Values

/// What a buyer wants: each product once, in the order in which they came.
struct Basket {
  /// A line as it was sent.
  struct Line {
    let product: Identifier
    let quantity: Int64
  }

  /// What is wanted of one product.
  struct Item {
    let product: Identifier
    var quantity: Int64
    /// The index of its first line in the request.
    let index: Int

    /// A fault of a member of that line.
    func fault(_ member: String, _ detail: String) -> JSON.Fault { JSON.Fault("/lines/\(index)/\(member)", detail) }
  }

  private(set) var items: [Item] = []

  /// Adds up lines of the same product. The sums fit: no more than `maximumLines` times `maximumQuantity`.
  init(_ lines: [Line]) {
    var positions: [Identifier: Int] = [:]
    for (index, line) in lines.enumerated() {
      if let position = positions[line.product] {
        items[position].quantity += line.quantity
      } else {
        positions[line.product] = items.count
        items.append(Item(product: line.product, quantity: line.quantity, index: index))
      }
    }
  }

  var products: [Identifier] { items.map(\.product) }
}

extension Rule where Value == Basket.Line {
  /// `{"productId": …, "quantity": …}`.
  static var basketLine: Rule {
    .object(named: "OrderLineInput") { fields in
      Basket.Line(
        product: fields.required("productId", .identifier),
        quantity: fields.required("quantity", .integer(1...OrderPlacement.maximumQuantity)))
    }
  }
}
