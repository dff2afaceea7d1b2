/// Where a value stands in a document; its pointer is built only if it is needed.
package struct Place {
  private enum Token {
    case none
    case member(String)
    case element(Int)
  }

  private let parent: String
  private let token: Token

  /// The whole document.
  static let root = Place(parent: "", token: .none)

  /// A member of the object at a pointer.
  static func member(_ name: String, of parent: String) -> Place { Place(parent: parent, token: .member(name)) }

  /// An element of the array at a pointer.
  static func element(_ index: Int, of parent: String) -> Place { Place(parent: parent, token: .element(index)) }

  /// The JSON Pointer (RFC 6901).
  var pointer: String {
    switch token {
    case .none: parent
    case .member(let name): parent + "/" + Self.escaped(name)
    case .element(let index): parent + "/" + String(index)
    }
  }

  /// A name as a reference token: `~` and `/` are escaped (RFC 6901, section 3).
  package static func escaped(_ name: String) -> String {
    guard name.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return name }
    var token = ""
    for scalar in name.unicodeScalars {
      switch scalar {
      case "~": token += "~0"
      case "/": token += "~1"
      default: token.unicodeScalars.append(scalar)
      }
    }
    return token
  }
}
