import Testing

@testable import Settings

/// The checkout that these tests are of.
enum Repository {
  /// Its folder, with a slash at the end.
  static let root = String(#filePath.dropLast("Tests/ServingTests/Support/Repository.swift".count))

  /// The text of one of its files.
  static func text(of path: String) throws -> String {
    String(decoding: try #require(File.read(root + path, maximumBytes: 1 << 20), "\(path)"), as: UTF8.self)
  }
}
