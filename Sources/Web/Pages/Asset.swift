import CAssets

/// A file of the pages, as it was when the binary was built.
package struct Asset: Sendable {
  package let name: String
  package let bytes: [UInt8]

  /// All files.
  package static let all: [Asset] = UnsafeBufferPointer(start: embedded_assets, count: embedded_asset_count).map {
    asset in
    Asset(
      name: String(cString: asset.name), bytes: Array(UnsafeBufferPointer(start: asset.bytes, count: asset.count)))
  }

  /// The file named `name`, which must exist.
  package static func named(_ name: String) -> Asset {
    guard let asset = all.first(where: { $0.name == name }) else { preconditionFailure("no asset \(name)") }
    return asset
  }

  /// What it is served as, or nil for a piece of a page that is not served by itself.
  package var mediaType: String? {
    switch name.split(separator: ".").last {
    case "css": "text/css; charset=utf-8"
    case "js": "text/javascript; charset=utf-8"
    case "svg": "image/svg+xml"
    default: nil
    }
  }

  /// The file with each `{{name}}` replaced by its value, which must be HTML already, or by nothing; a file may have
  /// braces nowhere else. Inserted values are not scanned, so that user text can never act as a placeholder.
  package func filled(_ values: [String: [UInt8]]) -> [UInt8] {
    var (page, rest) = ([UInt8](), bytes[...])
    while let start = rest.firstIndex(of: UInt8(ascii: "{")) {
      page += rest[..<start]
      let name = rest[start...].dropFirst(2).prefix { $0 != UInt8(ascii: "}") }
      page += values[String(decoding: name, as: UTF8.self)] ?? []
      rest = rest[name.endIndex...].dropFirst(2)
    }
    return page + rest
  }
}
