import JSON

extension PageItem {
  /// Its JSON text, as it is answered when asked for alone.
  package var body: [UInt8] {
    var json = JSONWriter()
    json.object(write)
    return json.take()
  }
}
