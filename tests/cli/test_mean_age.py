"""test_mean_age -- with --mean-pair-age a mated comparison has the mean of its two ages wherever a report says something by
age: groups, crossed groups, verdicts, the release beside the one before it, and what a least quality would buy. Expected
counts are taken here from the scores one by one."""
import json
import math
import random

from cli_support import Case, main, read, read_csv, write, write_npy

# People are captured at a and a + 6: from 32 on the two fall into different bins, or the mean does.
BINS = [(0, 12), (13, 17), (18, 35), (36, 50), (51, 65), (66, 200)]


def bin_of(age):
    if age is None:
        return "(missing)"
    for low, high in BINS:
        if low <= age < high + 1:
            return "66+" if low == 66 else "%d-%d" % (low, high)
    return "(unknown)"


class MeanAge(Case):
    def setUp(self):
        super().setUp()
        chance = random.Random(3)
        self.people = []  # ages of the two samples
        centres = [[chance.gauss(0, 1) for _ in range(8)] for _ in range(160)]
        labels = ["sample,subject,session,captured,quality,sex,age_band"]
        for person in range(160):
            first = chance.randrange(14, 60)
            ages = [first, None if person % 20 == 0 else first + 6]
            self.people.append((ages, "female male".split()[person % 2]))
            for sample in range(2):
                labels.append("s%d-%d,p%d,%d,%d-01-01,%d,%s,%s" % (
                    person, sample, person, sample, 2010 + 6 * sample, chance.randrange(1, 100),
                    self.people[-1][1], "" if ages[sample] is None else ages[sample]))
        self.labels = labels
        self.scores = {}
        for version, noise in (("1", 1.1), ("2", 0.8)):
            rows = [[c + chance.gauss(0, noise) for c in centre] for centre in centres for _ in range(2)]
            write_npy(self.path("x.npy"), rows)
            write(self.folder, "x.csv", "\n".join(labels) + "\n")
            self.good("import", "templates", "x.npy", "--labels", "x.csv", "--release", "v", "--version", version,
                      "-o", "t.h5", "-q")
            self.good("compare", "t.h5", "-o", "e%s.h5" % version, "--thresholds", "0.6", "--fmr-targets", "1e-2", "-q")
            cosine = lambda a, b: sum(x * y for x, y in zip(a, b)) / math.sqrt(
                sum(x * x for x in a) * sum(y * y for y in b))
            self.scores[version] = [cosine(rows[2 * n], rows[2 * n + 1]) for n in range(160)]

    def group(self, person, mean):
        (first, second), _ = self.people[person]
        if not mean:
            return bin_of(second)  # the later capture is the probe
        return bin_of(None if second is None else (first + second) / 2)

    def expected(self, version, threshold, mean, crossed=False):
        counts = {}
        for person, score in enumerate(self.scores[version]):
            name = self.group(person, mean)
            if crossed and not name.startswith("("):
                name = "%s × %s" % (self.people[person][1], name)
            errors, trials = counts.get(name, (0, 0))
            counts[name] = (errors + (score < threshold), trials + 1)
        return counts

    def report(self, *options):
        self.good("report", "e1.h5", "e2.h5", "--by", "age_band,sex*age_band", "-o", "r", "-q", *options)
        return json.loads(read(self.path("r", "summary.json")))

    def said(self, release, attribute, n):
        """Groups with mated comparisons, and the threshold."""
        groups = [g for g in release["groups"] if g["attribute"] == attribute]
        rates = {g["group"]: g["operating_points"][n]["fnmr"] for g in groups}
        return ({name: (r["errors"], r["trials"]) for name, r in rates.items() if r["trials"]},
                groups[0]["operating_points"][n]["threshold"])

    def test_groups_and_crossed_groups(self):
        for mean in (False, True):
            summary = self.report(*["--mean-pair-age"][:mean])
            self.assertEqual(summary["differentials"]["age_of_mated_pairs"], "mean of both" if mean else "probe")
            for release, version in zip(summary["releases"], "12"):
                for attribute, crossed in (("age_band", False), ("sex × age_band", True)):
                    for n in range(2):
                        found, threshold = self.said(release, attribute, n)
                        self.assertEqual(found, self.expected(version, threshold, mean, crossed))
        self.assertNotEqual(self.expected("1", 0.6, False), self.expected("1", 0.6, True))  # it makes a difference here

    def test_verdicts_and_measures_are_of_those_groups(self):
        for mean in (False, True):
            release = self.report(*["--mean-pair-age"][:mean])["releases"][1]
            counts = self.expected("2", 0.6, mean)
            judged = {g: c for g, c in counts.items() if not g.startswith("(") and c[1] >= 30}
            point = [d for d in release["differentials"] if d["attribute"] == "age_band" and d["kind"] == "threshold"][0]
            self.assertEqual(point["fnmr"]["groups"], len(judged))
            rates = [errors / trials for errors, trials in judged.values()]
            self.assertAlmostEqual(point["fnmr"]["difference"]["value"], max(rates) - min(rates), places=12)
            self.assertEqual(point["fnmr_permutation_p"] is None, True)  # ages are of samples

    def test_release_against_release(self):
        for mean in (False, True):
            made = self.report(*["--mean-pair-age"][:mean])["comparisons"][0]
            old, new = self.expected("1", 0.6, mean), self.expected("2", 0.6, mean)
            found = {g["group"]: g["fnmr_difference"] for g in made["groups"] if g["attribute"] == "age_band"}
            for name, (errors, trials) in new.items():
                self.assertEqual(found[name]["trials"], trials, "%s, mean %s" % (name, mean))
                self.assertAlmostEqual(found[name]["value"], (errors - old[name][0]) / trials, places=12)

    def test_least_qualities(self):
        self.report("--mean-pair-age")
        rows = [r for r in read_csv(self.path("r", "tables", "quality_minima.csv"))
                if r["version"] == "2" and r["attribute"] == "age_band"]
        quality = [int(line.split(",")[4]) for line in self.labels[1:]]
        checked = 0
        for row in rows:
            least, name = float(row["least_quality"]), row["group"].lstrip("'")
            kept = [n for n in range(160) if self.group(n, True) == name and min(quality[2 * n:2 * n + 2]) >= least]
            missed = sum(self.scores["2"][n] < 0.6 for n in kept)
            self.assertEqual((int(row["fnmr_errors"] or 0), int(row["fnmr_trials"])), (missed, len(kept)), row)
            checked += len(kept)
        self.assertGreater(checked, 160)


if __name__ == "__main__":
    main()
