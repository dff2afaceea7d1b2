import Testing

@testable import Web

@Test("a store is in reach once every loop has it, and no longer when one has lost it")
func storeReach() {
  let reach = StoreReach(loops: 2)
  #expect(!reach.isWhole)
  #expect(!reach.note(true, loop: 0))
  #expect(!reach.isWhole)
  #expect(reach.note(true, loop: 1))
  #expect(reach.isWhole)
  #expect(reach.note(false, loop: 0))
  #expect(!reach.note(false, loop: 1))
  #expect(!reach.isWhole)
}
