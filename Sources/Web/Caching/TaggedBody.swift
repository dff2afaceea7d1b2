/// A finished answer: its body and the entity tag that stands for exactly these bytes.
package struct TaggedBody {
  let etag: EntityTag
  package let body: [UInt8]

  package init(_ body: [UInt8]) {
    self.body = body
    etag = EntityTag(of: body)
  }
}
