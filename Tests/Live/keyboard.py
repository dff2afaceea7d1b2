"""A person who has only a keyboard."""

# The name of the focused element.
NAME = """() => {
  const node = document.activeElement;
  if (!node || node === document.body) return "";
  const label = node.labels && node.labels[0];
  return (node.getAttribute("aria-label") || (label && label.innerText) || node.innerText || "").trim();
}"""
MOST_STEPS = 200


class Keyboard:
    def __init__(self, page):
        self.page = page

    def to(self, name):
        """Presses Tab until the named element has the focus."""
        for _ in range(MOST_STEPS):
            if self.page.evaluate(NAME).startswith(name):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no step leads to {name!r}")

    def write(self, name, text):
        """Fills in a field."""
        self.to(name)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def choose(self, name, option):
        """Chooses an entry of a list, or a time of day."""
        self.to(name)
        self.page.keyboard.type(option)

    def press(self, name, key="Enter"):
        """Presses a button."""
        self.to(name)
        self.page.keyboard.press(key)

    def follow(self, name):
        """Follows a link, or presses a button that leads to another page."""
        self.to(name)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
