"""Pictures of pages for docs/."""
from PIL import Image

from Tests.Live.service import ROOT

SCREENSHOTS = ROOT / "docs" / "screenshots"
MAXIMUM_BYTES = 150_000
MARGIN = 16  # around a part
PLACE = "node => { const { y, height } = node.getBoundingClientRect(); return { y: y + scrollY, height }; }"


def keep(page, name, height, part=None):
    """A screenshot, or of a part alone, in few colours, which is all that these pages have; cut below `height`."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    image = Image.open(path).convert("RGB")
    if part:
        box = page.locator(part).evaluate(PLACE)
        image = image.crop((0, int(box["y"]) - MARGIN, image.width, int(box["y"] + box["height"]) + MARGIN))
    if height and image.height > height:
        image = image.crop((0, 0, image.width, height))
    image.quantize(96, Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
    assert path.stat().st_size < MAXIMUM_BYTES, name
