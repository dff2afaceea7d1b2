import Notifications
import Values
import Web

/// What the parties to an order are told of it.
extension Order {
  /// The news for the seller that it was placed.
  var placedNews: News {
    News(
      .order, type: "order.placed", severity: .notice, title: "A new order: \(goods)",
      text: lines.map { "\($0.quantity) \($0.unit) \($0.name)" }.joined(separator: "\n"), data: body)
  }

  /// The news for the other side that it was moved on.
  var movedNews: News {
    News(
      .order, type: "order.moved", severity: .notice, title: "An order is \(status.rawValue) now: \(goods)",
      text: "Order \(id) is \(status.rawValue).", data: body)
  }

  /// The side that is not the user's; nil when the buyer's account is erased.
  func audience(besides user: Identifier) -> Audience? {
    user == buyer ? .business(business) : buyer.map(Audience.user)
  }

  private var goods: String {
    let first = lines.first?.name ?? "nothing"
    return lines.count > 1 ? "\(first) and \(lines.count - 1) more" : first
  }
}
