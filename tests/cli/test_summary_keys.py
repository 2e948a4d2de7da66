"""test_summary_keys -- every key that summary.json holds is in reports/SUMMARY.md with its type, and every key that is
described there is printed, by reports that between them have everything."""
import json
import os
import random
import re

from cli_support import Case, SOURCE, main, read, write, write_npy

PLAIN = {"text": str, "boolean": bool, "count": int, "number": (int, float)}


def described():
    """{object: ([objects whose keys it has too], {key: type})} of SUMMARY.md."""
    objects = {}
    for part in read(os.path.join(SOURCE, "reports", "SUMMARY.md")).split("\n## `")[1:]:
        name, text = part.split("`", 1)
        also = re.search(r"^With all of (.*)\.$", text, re.M)
        keys = {}
        for row in re.findall(r"^\| (`.*?) \| (.*?) \| .*\|$", text, re.M):
            for key in re.findall(r"`(\w+)`", row[0]):
                keys[key] = row[1].replace("`", "")
        objects[name] = (re.findall(r"`(\w+)`", also[1]) if also else [], keys)
    return objects


class SummaryKeys(Case):
    def keys_of(self, name):
        also, keys = self.objects[name]
        found = {key: (name, kind) for key, kind in keys.items()}
        for other in also:
            found.update(self.keys_of(other))
        return found

    def walk(self, value, name, where):
        keys = self.keys_of(name)
        for key, item in value.items():
            at = "%s.%s" % (where, key)
            if key.endswith("_reason") and key not in keys:
                self.assertIn(key[:-len("_reason")], value, at)
                self.assertIsInstance(item, str, at)
                continue
            self.assertIn(key, keys, "%s is not described in SUMMARY.md" % at)
            owner, kind = keys[key]
            self.printed.add((owner, key))
            if item is None:
                self.assertIn(key + "_reason", value, at)
            elif kind.startswith("list of "):
                for one in item:
                    self.check(one, kind[len("list of "):], at + "[]")
            else:
                self.check(item, kind, at)

    def check(self, item, kind, at):
        if kind == "free":
            return
        if kind in PLAIN:
            self.assertIsInstance(item, PLAIN[kind], at)
            self.assertEqual(isinstance(item, bool), kind == "boolean", at)
        else:
            self.assertIn(kind, self.objects, at)
            self.walk(item, kind, at)

    def templates(self, version, noise):
        """90 people with three samples each over six years, in two groups, with qualities."""
        chance, rows = random.Random(9), []
        labels = ["sample,subject,session,captured,quality,region,sex"]
        for subject in range(90):
            centre = [chance.gauss(0, 1) for _ in range(8)]
            for sample in range(3):
                rows.append([c + chance.gauss(0, noise) for c in centre])
                labels.append("s%d-%d,p%d,%d,%d-03-01,%d,%s,%s" % (subject, sample, subject, sample, 2015 + 3 * sample,
                                                             chance.randrange(100), "north south".split()[subject % 2],
                                                                "female male".split()[subject // 2 % 2]))
        write_npy(self.path("x.npy"), rows)
        write(self.folder, "x.csv", "\n".join(labels) + "\n")
        out = "t%s.h5" % version
        self.good("import", "templates", "x.npy", "--labels", "x.csv", "--release", "vendor", "--version", version, "-o", out,
                  "--family", "vendor", "-q")
        return out

    def report(self, *arguments):
        self.good("report", *arguments, "-o", "r", "-q")
        self.walk(json.loads(read(self.path("r", "summary.json"))), "summary", "")

    def test_keys_and_document_agree(self):
        self.objects, self.printed = described(), set()
        old, new = self.templates("1", 0.9), self.templates("2", 0.7)
        for templates, evidence, targets in ((old, "a.h5", "1e-1,1e-2,1e-4"), (new, "b.h5", "1e-1,1e-2,1e-4")):
            self.good("compare", templates, "-o", evidence, "--fmr-targets", targets, "--thresholds", "0.99", "-q")
        self.report("a.h5", "b.h5", "--by", "region,sex,region*sex")
        self.good("compare", "--references", old, "--probes", new, "-o", "between.h5", "--fmr-targets", "1e-1", "-q")
        self.report("a.h5", "between.h5", "b.h5")
        self.report("between.h5")
        self.report("b.h5", "--galleries", "region", "--look-alikes", "a.h5")
        self.good("compare", old, "-o", "short.h5", "--fmr-targets", "1e-1,1e-2", "--tail-cap", "500", "-q")
        self.report("short.h5")
        self.good("compare", new, "-o", "kind.h5", "--protocol", "one-per-subject", "--fmr-targets", "1e-1", "-q")
        self.report("a.h5", "kind.h5")  # of different protocols: not compared
        write(self.folder, "p.csv", "reference,probe,score\n" + "".join(
            "s%d-0,s%d-1,%s\n" % (i, j, "nan" if (i + j) % 7 == 0 else 1 / (1 + abs(i - j)))
            for i in range(40) for j in range(40)))
        self.good("import", "scores", "p.csv", "--labels", "x.csv", "--release", "lab", "--version", "1", "-o", "s.h5", "-q")
        self.report("s.h5")
        write(self.folder, "m.txt", "3\n4\n5\n")
        write(self.folder, "n.txt", "1\n2\n3\n")
        self.good("import", "scores", "m.txt", "n.txt", "--release", "lists", "--version", "1", "-o", "l.h5", "-q")
        self.report("l.h5")
        there = {(name, key) for name, (_, keys) in self.objects.items() for key in keys}
        self.assertEqual(there - self.printed, set(), "in SUMMARY.md, and in no report")
        self.assertGreater(len(self.printed), 150)


if __name__ == "__main__":
    main()
