"""test_report_sentences -- what the first lines of a report say is what its numbers say: the page's sentences
are read beside summary.json and the tables."""
import csv
import html
import json
import re
import unittest

from cli_support import Case, main


def plain(markup):
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


class Sentences(Case):
    def report(self, planted, *options):
        self.good("synth", "--templates", "--subjects", "400", "--samples", "2", "--seed", "5",
                  *(["--planted"] if planted else []), "-o", "s", "-q")
        self.good("import", "templates", "s/templates.npy", "--labels", "s/labels.csv", "--release", "synth",
                  "--version", "1", "--comparator", "cosine", "-o", "t.h5", "-q")
        self.good("compare", "t.h5", "-o", "e.h5", "--fmr-targets", "1e-3", "-q")
        self.good("report", "e.h5", "-o", "r", "-q", *options)
        with open(self.path("r/summary.json"), encoding="utf-8") as text:
            summary = json.load(text)
        with open(self.path("r/index.html"), encoding="utf-8") as text:
            page = text.read()
        return summary, page[page.index('<div class="finding">'):page.index('<div class="cards">')], page

    def standings(self, release):
        found = []
        for group in release["groups"]:
            point = group["operating_points"][0]
            for kind in ("fmr", "fnmr"):
                found.append((kind.upper(), group["attribute"], group["group"], point[kind]))
        return found

    def check_counts(self, release, finding, limit):
        said = re.search(r"Of (\d+) comparisons of a group with the others \((\d+) groups, FMR and FNMR\): (\d+) WORSE, "
                         r"(\d+) WITHIN LIMIT \(surely less than ([\d.]+) times the others\), (\d+) NOT ENOUGH DATA",
                         plain(finding))
        self.assertIsNotNone(said, plain(finding))
        found = self.standings(release)
        count = lambda name: sum(value["standing"] == name for _, _, _, value in found)
        judged = [(a, g) for _, a, g, value in found if value["standing"] != "NOT JUDGED"]
        self.assertEqual(int(said[1]), len(judged))
        self.assertEqual(int(said[2]), len(set(judged)))
        self.assertEqual([int(said[n]) for n in (3, 4, 6)],
                         [count("WORSE"), count("WITHIN LIMIT"), count("NOT ENOUGH DATA")])
        self.assertEqual(float(said[5]), limit)

    def test_a_planted_differential_is_said_with_its_numbers(self):
        summary, finding, page = self.report(True)
        release = summary["releases"][0]
        self.check_counts(release, finding, 1.5)
        worse = [w for w in self.standings(release) if w[3]["standing"] == "WORSE"]
        self.assertIn(("FMR", "group", "west"), [w[:3] for w in worse])
        lines = [plain(line) for line in re.findall(r"<li>.*?</li>", finding, re.DOTALL)]
        self.assertEqual(len(lines), len(worse))
        for kind, attribute, group, value in worse:
            line = [t for t in lines if t.startswith(kind) and " %s (by %s)" % (group, attribute) in t]
            self.assertEqual(len(line), 1, lines)
            said = re.search(r"about ([\d.]+) times .* \(at most ([\d.]+) times\), (not )?surely more than", line[0])
            self.assertAlmostEqual(float(said[1]), value["ratio_to_others"], delta=0.06 * value["ratio_to_others"])
            self.assertAlmostEqual(float(said[2]), value["ratio_upper"], delta=0.06 * value["ratio_upper"])
            self.assertEqual(said[3] is None, value["beyond_limit"])
        alike = [d for d in release["differentials"] if d["attribute"] == "sex × age_band"][0]["fmr_alike"]
        said = re.search(r"Against impostors of the same sex and age_band it falsely matched .*? \(([\d,]+) of ([\d,]+);",
                         plain(finding))
        self.assertEqual([int(said[n].replace(",", "")) for n in (1, 2)], [alike["errors"], alike["trials"]])
        self.assertIn("Some people match many others", page)

    def test_every_link_to_a_metric_leads_to_its_entry_without_a_network(self):
        _, _, page = self.report(True)
        with open(self.path("r/metrics.html"), encoding="utf-8") as text:
            metrics = text.read()
        entries = re.findall(r' id="([^"]+)"', metrics)
        self.assertEqual(len(entries), len(set(entries)))
        links = re.findall(r'href="metrics\.html#([^"]+)"', page)
        self.assertGreater(len(set(links)), 15)
        for link in links:
            self.assertIn(link, entries)
        self.assertNotRegex(metrics, r'(src|href)="(http|//)')

    def test_without_one_no_group_is_said_to_be_failed_more(self):
        summary, finding, _ = self.report(False, "--worse-limit", "3")
        self.check_counts(summary["releases"][0], finding, 3)
        self.assertEqual([w for w in self.standings(summary["releases"][0]) if w[3]["standing"] == "WORSE"], [])
        self.assertIn("No group is", plain(finding))
        self.assertNotIn("<li>", finding)

    def test_tables_hold_the_verdicts_and_measures_of_the_summary(self):
        summary, _, _ = self.report(True)
        release = summary["releases"][0]
        with open(self.path("r/tables/groups.csv"), encoding="utf-8", newline="") as text:
            rows = {(row["attribute"], row["group"]): row for row in csv.DictReader(text)}
        for kind, attribute, group, value in self.standings(release):
            row = rows[attribute, group.lstrip("'")]
            self.assertEqual(row[kind.lower() + "_standing"], value["standing"])
            if value["standing"] != "NOT JUDGED":
                self.assertEqual(float(row[kind.lower() + "_ratio"]), value["ratio_to_others"])
        with open(self.path("r/tables/differentials.csv"), encoding="utf-8", newline="") as text:
            measures = {(row["attribute"], row["measure"]): row for row in csv.DictReader(text)}
        for found in release["differentials"]:
            for kind in ("fmr", "fnmr"):
                for name in ("max_min", "gini", "difference"):
                    if found[kind][name]["value"] is None:
                        continue
                    row = measures[found["attribute"], "%s_%s" % (kind, name)]
                    self.assertEqual(float(row["value"]), found[kind][name]["value"])
                    self.assertEqual(float(row["least"]), found[kind][name]["least"])
                    self.assertEqual(float(row["by_chance"]), found[kind][name]["by_chance"])


if __name__ == "__main__":
    main()
