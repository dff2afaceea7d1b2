import JSON
import Values

/// The new ids of the things in a file, by the ids that its lines use.
struct ImportNames {
  /// The most things of a kind that a file may have, which bounds the memory of their ids.
  static let maximumOfKind = 100_000

  /// The kinds of things that later lines may refer to.
  enum Kind: String {
    case garden, device, business

    /// The member that refers to a thing of this kind.
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

  /// Reads the id of something that later lines may refer to.
  ///
  /// It is known from now on, even if its own line proves faulty: lines that refer to it are not at fault for that.
  mutating func readNewcomer(_ kind: Kind, _ fields: inout Fields) -> Identifier {
    let id = fields.required("id", .identifier)
    if count(of: kind) >= Self.maximumOfKind {
      fields.fault("kind", "is on more than \(Self.maximumOfKind) lines")
    } else if known[kind, default: [:]].updateValue(id, forKey: id) != nil {
      fields.fault("id", "is that of an earlier line")
    }
    return id
  }

  /// Reads a reference to something on an earlier line, and returns its new id.
  func read(_ kind: Kind, _ fields: inout Fields) -> Identifier {
    let id = fields.required(kind.member, .identifier)
    if let new = known[kind]?[id] { return new }
    fields.fault(kind.member, "names no \(kind) of an earlier line")
    return id
  }

  /// Maps the id of something that was read to a new one of `moment`, and returns that.
  mutating func rename(_ id: Identifier, _ kind: Kind, at moment: Timestamp) -> Identifier {
    let new = make(at: moment)
    known[kind, default: [:]][id] = new
    return new
  }

  /// Makes something that is on this server already known by its own id.
  mutating func keep(_ id: Identifier, _ kind: Kind) { known[kind, default: [:]][id] = id }

  /// Returns a new id of `moment`, so that copies are listed in the order of their originals; within a millisecond, in
  /// that of their lines.
  mutating func make(at moment: Timestamp) -> Identifier {
    if moment != self.moment { (self.moment, identifiers) = (moment, IdentifierSequence()) }
    return identifiers.next(unixMilliseconds: moment.unixMilliseconds)
  }
}
