"""test_report_sentences -- what the first lines of a report say is what its numbers say: the page's sentences
are read beside summary.json and the tables."""
import csv
import html
import json
import os
import re
import unittest

from cli_support import Case, main


NUMBER = r"[\d.]+(?: × 10−?\d+)?|10−?\d+"


def plain(markup):
    return re.sub("[\u00a0\u2009\u202f]", " ", html.unescape(re.sub(r"<[^>]+>", "", markup)))


def number(text):
    """3.5 % of "3.5", 7.52e-4 of "7.52 × 10−4", 1e-3 of "10−3"."""
    text = text.replace("−", "-")
    if text.startswith("10-"):
        return float("1e" + text[2:])
    return float(text.replace(" × 10", "e"))


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

    # ---- rates in sentences ----

    def near(self, said, value, unit=1.0):
        """SAID is value in unit, rounded to the digits that it has."""
        mantissa, _, power = said.replace("−", "-").replace(" × 10", "e").partition("e")
        half = 0.5 * 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
        self.assertAlmostEqual(number(said) / unit, value, delta=1.001 * half / unit, msg=said)

    def check_sure(self, text, rate, percent):
        """TEXT is "P % (e of t; 95 %: a % to b %)" or the like of that rate."""
        sign = " %" if percent else ""
        said = re.fullmatch(r"(%s)%s \(([\d,]+) of ([\d,]+); 95 %%: (%s)%s to (%s)%s\)"
                            % (NUMBER, sign, NUMBER, sign, NUMBER, sign), text)
        self.assertIsNotNone(said, text)
        self.near(said[1], rate["value"], 100 if percent else 1)
        self.assertEqual([int(said[n].replace(",", "")) for n in (2, 3)], [rate["errors"], rate["trials"]])
        self.near(said[4], rate["low"], 100 if percent else 1)
        self.near(said[5], rate["high"], 100 if percent else 1)

    def extremes(self, release, attribute, kind):
        """Highest and lowest of the groups that may be named, and the names of the others."""
        few = "few_subjects" if kind == "fmr" else "few_mated_subjects"
        named, left = [], []
        for group in release["groups"]:
            rate = group["operating_points"][0][kind]
            if group["attribute"] != attribute or group["group"].startswith("("):
                continue
            fit = not group[few] and rate["value"] is not None and (kind == "fnmr" or rate["errors"] >= 10)
            (named if fit else left).append((rate["value"], group["group"], rate))
        return max(named, key=lambda n: n[0]), min(named, key=lambda n: n[0]), [name for _, name, _ in left], len(named)

    def check_attribute(self, release, text, attribute):
        high, low, left, count = self.extremes(release, attribute, "fmr")
        sure = r"(%s) \(95 %%: (%s) to (%s)\)" % (NUMBER, NUMBER, NUMBER)
        if count > 1:
            said = re.search(r"FMR is " + sure + r" within (\S+) and " + sure + r" within (\S+), a ([\d.]+)-fold difference\.",
                             text)
            self.assertIsNotNone(said, text)
            for found, first in ((high, 1), (low, 5)):
                self.near(said[first], found[0])
                self.near(said[first + 1], found[2]["low"])
                self.near(said[first + 2], found[2]["high"])
                self.assertEqual(said[first + 3], found[1])
            self.assertAlmostEqual(float(said[9]), high[0] / low[0], delta=0.06 * high[0] / low[0])
            if left:
                self.assertIn("Left out for fewer than 10 false matches or 30 subjects: %s." % ", ".join(left), text)
        high, low, left, count = self.extremes(release, attribute, "fnmr")
        if high[0] > low[0]:
            sure = sure.replace(r" \(95", r" % \(95").replace(") to (", ") % to (").replace(r")\)", r") %\)")
            said = re.search(r"FNMR is " + sure + r" for (\S+) and " + sure + r" for (\S+?)\.", text)
            self.assertIsNotNone(said, text)
            for found, first in ((high, 1), (low, 5)):
                self.near(said[first], found[0], 100)
                self.near(said[first + 1], found[2]["low"], 100)
                self.near(said[first + 2], found[2]["high"], 100)
                self.assertEqual(said[first + 3], found[1])
        return count

    def test_rates_that_sentences_and_cards_name_are_those_of_the_summary(self):
        summary, finding, page = self.report(True)
        release, words = summary["releases"][0], plain(page)
        point = release["operating_points"][0]
        said = re.search(r"missed (.*?) of mated comparisons and falsely matched (.*?) of non-mated ones\.", plain(finding))
        self.check_sure(said[1], point["fnmr"], True)
        self.check_sure(said[2], point["fmr"], False)
        alike = [d for d in release["differentials"] if d["attribute"] == "sex × age_band"][0]["fmr_alike"]
        self.check_sure(re.search(r"it falsely matched (.*?)\.\n", plain(finding))[1], alike, False)
        paragraphs = [plain(p) for p in re.findall(r"<p>By <i>.*?</p>", finding, re.S)]
        self.assertEqual(len(paragraphs), 3)
        for text in paragraphs:
            self.assertGreater(self.check_attribute(release, text, re.match(r"By (\S+?),", text)[1]), 0)
        cards = [plain(card) for card in re.findall(r'<div class="card">.*?</div>', page, re.S)]
        for start, rate, percent in (("FNMR, completed", point["fnmr"], True), ("generalized FNMR", point["gfnmr"], True),
                                     ("FMR achieved", point["fmr"], False), ("failure to enrol", release["fte"], True)):
            card = [c for c in cards if start in c][0]
            sign = " %" if percent else ""
            found = re.match(r"(%s)%s" % (NUMBER, sign), card)
            self.near(found[1], rate["value"], 100 if percent else 1)
            self.assertIn("{:,} of {:,}".format(rate["errors"], rate["trials"]), card)
            ends = re.search(r"95 %%: (%s)%s to (%s)%s" % (NUMBER, sign, NUMBER, sign), card)
            self.near(ends[1], rate["low"], 100 if percent else 1)
            self.near(ends[2], rate["high"], 100 if percent else 1)
        plainly = [g for g in release["groups"] if " × " not in g["attribute"] and not g["group"].startswith("(")]
        small = [c for c in cards if "groups too small" in c][0]
        self.assertTrue(small.startswith("%d of %d" % (sum(g["few_subjects"] for g in plainly), len(plainly))), small)
        few = re.search(r"synth 1: (\d+) false non-match(?:es)? at this threshold", words)
        self.assertEqual(few and int(few[1]), point["fnmr"]["errors"] if point["fnmr"]["errors"] < 30 else None)
        self.assertIn("rarer than about 3 in %d may be absent" % summary["dataset"]["subjects"], words)
        title = re.search(r"<h3>(.*?)</h3><p class=\"subtitle\">Figure 1", page, re.S)
        self.near(re.search(r"misses (%s) %%" % NUMBER, plain(title[1]))[1], point["fnmr"]["value"], 100)

    def test_sentences_about_measures_are_those_of_the_summary(self):
        summary, _, page = self.report(True)
        release = summary["releases"][0]
        said = re.findall(r"Of groups of 30 people: FMR (\d+) groups, FNMR (\d+); left out (\d+) and (\d+)\.(.*?)\n",
                          plain(page))
        self.assertEqual(len(said), len(release["differentials"]))
        for words, found in zip(said, release["differentials"]):
            self.assertEqual([int(w) for w in words[:4]],
                             [found["fmr"]["groups"], found["fnmr"]["groups"], found["fmr"]["groups_left_out"],
                              found["fnmr"]["groups_left_out"]])
            dealt = re.search(r"anew (in all )?(\d+) times gives as wide a difference in a share of (%s) of them" % NUMBER,
                              words[4])
            self.assertEqual(dealt is None, found["fnmr_permutation_p"] is None)
            if dealt:
                self.assertEqual((bool(dealt[1]), int(dealt[2])),
                                 (found["fnmr_permutation_exact"], found["fnmr_permutation_deals"]))
                self.near(dealt[3], found["fnmr_permutation_p"])

    def test_every_link_to_a_metric_leads_to_its_entry_without_a_network(self):
        _, _, page = self.report(True)
        with open(self.path("r/metrics.html"), encoding="utf-8") as text:
            metrics = text.read()
        entries = re.findall(r' id="([^"]+)"', metrics)
        self.assertEqual(len(entries), len(set(entries)))
        links = re.findall(r'href="metrics\.html#([^"]+)"', page)
        self.assertGreater(len(set(links)), 40)
        figures = re.findall(r"<figure.*?</figure>", page, re.S)
        self.assertEqual(len(figures), len(re.findall(r'<figure.*?href="metrics\.html#figures-.*?</figure>', page, re.S)))
        self.assertGreaterEqual(len(re.findall(r"<details[^>]*><summary>Figure", page)), 4)
        listed = re.findall(r'href="(tables/[^"]+)"><code>.*?href="metrics\.html#[^"]+"', page)
        self.assertEqual(sorted(listed), sorted("tables/" + name for name in os.listdir(self.path("r", "tables"))))
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
