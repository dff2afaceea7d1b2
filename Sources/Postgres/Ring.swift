/// A first-in, first-out queue in a circular buffer that grows by doubling and is kept for reuse.
struct Ring<Element> {
  private var slots: [Element?] = Array(repeating: nil, count: 16)
  private var head = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  var first: Element? { count == 0 ? nil : slots[head] }

  /// The element `index` places behind the first.
  subscript(index: Int) -> Element { slots[(head + index) & (slots.count - 1)]! }

  mutating func append(_ element: Element) {
    if count == slots.count { grow() }
    slots[(head + count) & (slots.count - 1)] = element
    count += 1
  }

  @discardableResult
  mutating func popFirst() -> Element? {
    guard count > 0 else { return nil }
    let element = slots[head].take()
    head = (head + 1) & (slots.count - 1)
    count -= 1
    return element
  }

  mutating func removeAll() {
    while popFirst() != nil {}
  }

  private mutating func grow() {
    var grown: [Element?] = []
    grown.reserveCapacity(slots.count * 2)
    for index in 0..<count { grown.append(self[index]) }
    grown.append(contentsOf: repeatElement(nil, count: slots.count * 2 - count))
    slots = grown
    head = 0
  }
}
