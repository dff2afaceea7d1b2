"""Pictures of pages for docs/."""
from PIL import Image

from Tests.Live.service import ROOT

SCREENSHOTS = ROOT / "docs" / "screenshots"
MAXIMUM_BYTES = 150_000
MARGIN = 16  # around a part
PLACE = "node => { const { y, height } = node.getBoundingClientRect(); return { y: y + scrollY, height }; }"


def keep(page, name, height, part=None):
    """A screenshot of a page or a part, reduced to a palette's colours; cut off below `height`."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.locator("#said").evaluate_all("all => all.forEach((node) => node.replaceChildren())")  # notices come and go
    if height and not part:
        capture(page, path, height)
    else:
        page.screenshot(path=path, full_page=True)
    image = Image.open(path).convert("RGB")
    if part:
        box = page.locator(part).evaluate(PLACE)
        image = image.crop((0, int(box["y"]) - MARGIN, image.width, int(box["y"] + box["height"]) + MARGIN))
    if part and height and image.height > height:
        image = image.crop((0, 0, image.width, height))
    image.quantize(256, Image.Quantize.MEDIANCUT).save(path, optimize=True)
    assert path.stat().st_size < MAXIMUM_BYTES, name


def capture(page, path, height):
    """The top of a page: a long one whole takes the browser minutes. No higher than the page."""
    whole = page.evaluate("document.documentElement.scrollHeight")
    size = page.viewport_size
    page.set_viewport_size({"width": size["width"], "height": min(height, whole)})
    page.screenshot(path=path)
    page.set_viewport_size(size)
