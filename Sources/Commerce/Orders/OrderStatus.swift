import Postgres

/// The state of an order. The raw value is part of the API and of the schema.
enum OrderStatus: String, CaseIterable, PostgresEnumeration {
  case pending, paid, preparing, shipped, delivered, cancelled, refunded

  /// Whether anything is left to do. While there is, the business cannot be closed, nor a party's account be erased.
  var isOpen: Bool { successor != nil }

  /// Whether an order in this state may ever go to `next`, whoever asks.
  func leads(to next: OrderStatus) -> Bool {
    switch next {
    case .cancelled: [.pending, .paid, .preparing].contains(self)
    case .refunded: [.paid, .preparing, .shipped, .delivered].contains(self)
    default: successor == next
    }
  }

  /// Whether an order that comes to this state gives back what it took from stock.
  var givesStockBack: Bool { self == .cancelled || self == .refunded }

  /// The next state of an order that goes well.
  private var successor: OrderStatus? {
    switch self {
    case .pending: .paid
    case .paid: .preparing
    case .preparing: .shipped
    case .shipped: .delivered
    case .delivered, .cancelled, .refunded: nil
    }
  }

  /// The open states, as a list in SQL.
  static let openList = allCases.filter(\.isOpen).map { "'\($0.rawValue)'" }.joined(separator: ", ")
}

/// A side of an order.
enum OrderRole: String, CaseIterable {
  case buyer, seller

  /// When a side may take a step.
  enum Permission {
    case always, never
    /// As the buyer, once the seller neglects the order.
    case whenNeglected
  }

  /// When this side may make a step that `leads(to:)` allows. Either may cancel an unpaid order; every other step is
  /// the seller's. If the seller neglects the order, the buyer may cancel what was not shipped, and mark as delivered
  /// what was: it has arrived, or never will.
  func permission(from state: OrderStatus, to next: OrderStatus) -> Permission {
    switch (state, next) {
    case (.pending, .cancelled): .always
    case (_, .cancelled): .whenNeglected
    case (.shipped, .delivered) where self == .buyer: .whenNeglected
    default: self == .seller ? .always : .never
    }
  }
}
