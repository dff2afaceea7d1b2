/// The version of Terroir, where no SERVICE_VERSION says otherwise.
package enum Version {
  package static let number = "0.1.0"
  /// The compiler that this was built with, as far as it tells.
  package static let swift: String = {
    #if compiler(>=6.4)
      "6.4"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }()
}
