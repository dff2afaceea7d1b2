import Postgres

/// Where an order is on its way. The raw value is part of the API and of the schema.
enum OrderStatus: String, CaseIterable, PostgresEnumeration {
  case pending, paid, preparing, shipped, delivered, cancelled, refunded

  /// Whether anything is left to do, so that neither party may leave.
  var isOpen: Bool { successor != nil }

  /// Whether an order may go from here to there at all.
  func leads(to next: OrderStatus) -> Bool {
    switch next {
    case .cancelled: [.pending, .paid, .preparing].contains(self)
    case .refunded: [.paid, .preparing, .shipped, .delivered].contains(self)
    default: successor == next
    }
  }

  /// Whether what was sold is available again once an order is here.
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

  /// The open ones, as a list of SQL.
  static let openList = allCases.filter(\.isOpen).map { "'\($0.rawValue)'" }.joined(separator: ", ")
}

/// Which side of an order someone stands on.
enum OrderRole: String, CaseIterable {
  case buyer, seller

  /// When someone may take a step.
  enum Leave {
    case always, never
    /// As the buyer, once the seller neglects the order.
    case whenNeglected
  }

  /// When this side may move an order from one state to another that follows. Both may cancel what nobody has paid, all
  /// else is the seller's; of a neglected order the buyer cancels what was not sent, and ends what was: it has come, or
  /// will not.
  func leave(from state: OrderStatus, to next: OrderStatus) -> Leave {
    switch (state, next) {
    case (.pending, .cancelled): .always
    case (_, .cancelled): .whenNeglected
    case (.shipped, .delivered) where self == .buyer: .whenNeglected
    default: self == .seller ? .always : .never
    }
  }
}
