"""Charts over months and years: their labels are unambiguous, and they end where the chosen span ends."""
import re
import unittest

from playwright.sync_api import expect

from Tests.Live.open_page import OpenPage

# The labels below a chart of a given width.
LABELS = """async ([from, to, width]) => {
    const { Chart } = await import("/assets/chart.js");
    const chart = new Chart({ title: "Years" });
    chart.figure.style.width = `${width}px`;
    document.body.append(chart.figure);
    chart.show({ from: Date.parse(from), to: Date.parse(to), gap: 1, times: [], series: [] });
    const labels = [...chart.figure.querySelectorAll("svg text:not(.value):not(.none)")];
    const boxes = labels.map((node) => node.getBoundingClientRect());
    chart.figure.remove();
    return [labels.map((node) => node.textContent), boxes.every((box, index) => !index || boxes[index - 1].right < box.left)];
}"""
END = "2026-11-29"


class Spans(OpenPage):
    def test_times_over_months_and_years_say_which(self):
        page = self.person("/")
        for begin, width, expected in (
                ("2026-07-15", 560, ["Aug ’26", "Sept ’26", "Oct ’26", "Nov ’26"]),
                ("2025-11-29", 560, ["Jan ’26", "Mar ’26", "May ’26", "Jul ’26", "Sept ’26", "Nov ’26"]),
                ("2025-11-29", 300, ["Jan ’26", "Jul ’26"]),
                ("2024-11-01", 560, ["Jan ’25", "Jul ’25", "Jan ’26", "Jul ’26"]),
                ("2021-11-01", 560, ["2022", "2023", "2024", "2025", "2026"]),
                ("2016-12-02", 560, ["2018", "2020", "2022", "2024", "2026"]),
                ("2016-12-02", 300, ["2020", "2025"])):
            labels, apart = page.evaluate(LABELS, [begin, END, width])
            self.assertEqual(labels, expected, begin)
            self.assertTrue(apart, begin)

    def test_more_than_ten_years_end_at_the_last_day_asked_for(self):
        page, token = self.signed_in("/")
        garden = self.make("/api/gardens", {"name": "South slope"}, token)
        page.goto(f"{self.service.url}/gardens/{garden}")
        expect(page.locator("#shown")).not_to_be_empty()
        page.get_by_text("Other days").click()
        page.fill("#from", "2010-01-01")
        page.fill("#to", "2026-10-31")
        page.locator("#span").get_by_role("button", name="Show").click()
        expect(page.locator("#said")).to_contain_text("At most ten years")
        expect(page.locator("#shown")).to_contain_text(re.compile("to [1-7] Nov 2026"))  # whole weeks
