"""A person who has a keyboard and nothing else."""

# What the element that has the focus is called.
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
        """Steps on until what is called so has the focus."""
        for _ in range(MOST_STEPS):
            if self.page.evaluate(NAME).startswith(name):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no step leads to {name!r}")

    def write(self, name, text):
        """Fills a field in."""
        self.to(name)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def choose(self, name, option):
        """Chooses one of a list, or a time of day."""
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
