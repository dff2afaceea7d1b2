import JSON
import Values

/// What the lines of a file call things, and the ids that these get here.
struct ImportNames {
  /// The most things of one kind that lines may name, so that their ids fit into memory.
  static let maximumOfKind = 100_000

  /// What lines may name that come later.
  enum Kind: String {
    case garden, device, business

    /// The member that names one of the kind.
    fileprivate var member: String {
      switch self {
      case .garden: "gardenId"
      case .device: "deviceId"
      case .business: "businessId"
      }
    }
  }

  /// New ids by those in the file.
  private var known: [Kind: [Identifier: Identifier]] = [:]
  /// Makes ids of one moment.
  private var identifiers = IdentifierSequence()
  private var moment: Timestamp

  init(now: Timestamp) { moment = now }

  /// How many things of a kind there are.
  func count(of kind: Kind) -> Int { known[kind]?.count ?? 0 }

  /// Reads the id of something that later lines may name.
  ///
  /// It is known from now on, even if its line proves faulty: those that name it are not at fault.
  mutating func readNewcomer(_ kind: Kind, _ fields: inout Fields) -> Identifier {
    let id = fields.required("id", .identifier)
    if count(of: kind) >= Self.maximumOfKind {
      fields.fault("kind", "stands on more than \(Self.maximumOfKind) lines")
    } else if known[kind, default: [:]].updateValue(id, forKey: id) != nil {
      fields.fault("id", "is that of a line before")
    }
    return id
  }

  /// Reads the member that names something that a line before was about, and gives its new id.
  func read(_ kind: Kind, _ fields: inout Fields) -> Identifier {
    let id = fields.required(kind.member, .identifier)
    if let new = known[kind]?[id] { return new }
    fields.fault(kind.member, "names no \(kind) of a line before")
    return id
  }

  /// Gives something that was read a new id of that moment.
  mutating func rename(_ id: Identifier, _ kind: Kind, at moment: Timestamp) -> Identifier {
    let new = make(at: moment)
    known[kind, default: [:]][id] = new
    return new
  }

  /// Has something that is here already be known by its own id.
  mutating func keep(_ id: Identifier, _ kind: Kind) { known[kind, default: [:]][id] = id }

  /// A new id of that moment, so that copies are listed in the order of what they were copied from: within a
  /// millisecond, in that of their lines.
  mutating func make(at moment: Timestamp) -> Identifier {
    if moment != self.moment { (self.moment, identifiers) = (moment, IdentifierSequence()) }
    return identifiers.next(unixMilliseconds: moment.unixMilliseconds)
  }
}
