/// The members of an object in the order in which they came, each name once.
///
/// Names are compared byte by byte, as sent.
package struct JSONObject: Sendable {
  /// The most members that are searched one by one; a larger object has an index of its names.
  static let linearMembers = 16

  /// The capacity reserved with the first member.
  static let usualMembers = 4

  package typealias Member = (name: String, value: JSONValue)

  /// All members, in order.
  package private(set) var members: [Member] = []
  private var index: [MemberName: Int] = [:]

  package init() {}

  /// The value of a member, or nil if there is none of that name.
  package subscript(_ name: String) -> JSONValue? { position(of: name).map { members[$0].value } }

  /// Appends a member; returns false, and changes nothing, if there is one of that name.
  package mutating func append(_ name: String, _ value: JSONValue) -> Bool {
    guard position(of: name) == nil else { return false }
    if members.count == Self.linearMembers {
      for (position, member) in members.enumerated() { index[MemberName(member.name)] = position }
    }
    if members.count >= Self.linearMembers { index[MemberName(name)] = members.count }
    if members.isEmpty { members.reserveCapacity(Self.usualMembers) }
    members.append((name, value))
    return true
  }

  /// The position of the member in `members`, or nil if there is none of that name.
  func position(of name: String) -> Int? {
    if !index.isEmpty { return index[MemberName(name)] }
    let name = MemberName(name)
    return members.firstIndex { MemberName($0.name) == name }
  }
}

extension JSONObject: Equatable {
  /// Compares the members whatever their order (RFC 8259, section 4).
  package static func == (left: JSONObject, right: JSONObject) -> Bool {
    left.members.count == right.members.count && left.members.allSatisfy { right[$0.name] == $0.value }
  }
}
