import Notifications
import Values
import Web

/// What the parties to an order are told of it.
extension Order {
  /// That it was placed, for the seller.
  var placedNews: News {
    News(
      .order, type: "order.placed", severity: .notice, title: "A new order: \(goods)",
      text: lines.map { "\($0.quantity) \($0.unit) \($0.name)" }.joined(separator: "\n"), data: body)
  }

  /// That it was moved on, for whoever did not do it.
  var movedNews: News {
    News(
      .order, type: "order.moved", severity: .notice, title: "An order is \(status.rawValue) now: \(goods)",
      text: "Order \(id) is \(status.rawValue).", data: body)
  }

  /// The side that has not moved it; nil when nobody is left there.
  func audience(besides user: Identifier) -> Audience? {
    user == buyer ? .business(business) : buyer.map(Audience.user)
  }

  private var goods: String {
    let first = lines.first?.name ?? "nothing"
    return lines.count > 1 ? "\(first) and \(lines.count - 1) more" : first
  }
}
