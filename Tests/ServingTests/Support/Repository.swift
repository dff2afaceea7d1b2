import Testing

@testable import Settings

/// The checkout that these tests belong to.
enum Repository {
  /// The folder of the checkout, with a slash at the end.
  static let root = String(#filePath.dropLast("Tests/ServingTests/Support/Repository.swift".count))

  /// The text of the file at `path` in the checkout.
  static func text(of path: String) throws -> String {
    String(decoding: try #require(File.read(root + path, maximumBytes: 1 << 20), "\(path)"), as: UTF8.self)
  }
}
