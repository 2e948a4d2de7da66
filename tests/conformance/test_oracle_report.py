"""test_oracle_report -- what a report says against what a statistician would compute: from the comparisons that evidence
lists, by the statistical reference (oracle.py beside ASSAY_DATA) and numpy, sharing no code with the program.

Thresholds, FMR and FNMR with their intervals, cells of groups, verdicts after Holm, and the measures of inequity with their
guaranteed ranges and shrunken values, to 1e-9, of a synthetic population with a planted differential and of MEDS-II."""
import importlib.util
import json
import math
import os
import statistics

from cli_support import Case, SOURCE, main, read, skip

try:
    import h5py
    import numpy
except ImportError:
    skip("h5py and numpy are needed")
DATA = os.environ.get("ASSAY_DATA", "")
ORACLE = os.path.join(DATA, "..", "oracle", "oracle.py")
LIMIT, FEW = 1.5, 30


def load_oracle():
    spec = importlib.util.spec_from_file_location("oracle", ORACLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Evidence:
    """Lists of comparisons by subject, read from the file."""

    def __init__(self, path):
        with h5py.File(path) as store:
            subject = store["samples/subject"][:].astype(int)
            enrolled = store["samples/enrolment"][:] == 1
            mated, tail = store["result/mated"][:], store["result/tail"][:]
            self.groups = {}
            for node in store["attributes"].values():
                name = node.attrs["name"]
                name = name if isinstance(name, str) else name.decode()
                labels = [label.decode() for label in node["labels"][:]]
                if node.attrs["level"] == "subject":
                    of = numpy.zeros(subject.max() + 1, int)
                    of[subject] = node["codes"][:]
                    self.groups[name] = (of, labels)
        self.k = numpy.bincount(subject[enrolled], minlength=subject.max() + 1).astype(float)
        self.tail = numpy.column_stack([subject[tail["i"]], subject[tail["j"]], tail["score"]])
        self.mated = numpy.column_stack([subject[mated["i"]], mated["score"]])
        self.present = numpy.bincount(subject, minlength=len(self.k)) > 0


class OracleReport(Case):
    def near(self, value, expected, what, tolerance=1e-9):
        if expected is None or not math.isfinite(expected):
            self.assertIsNone(value, what)
            return
        self.assertIsNotNone(value, what)
        self.assertLessEqual(abs(value - expected), tolerance * max(abs(expected), 1e-300), "%s: %r, expected %r"
                             % (what, value, expected))
        self.compared += 1

    # ---- one cell of groups ----

    def cell(self, evidence, threshold, a=None, b=None, alpha=.05):
        """The reference's interval of FMR of comparisons between groups, and whether nothing shows the dependence."""
        o = self.oracle
        args = () if a is None else (evidence.of, a, b)
        ex = evidence.tail
        if a is not None:
            ga, gb = evidence.of[ex[:, 0].astype(int)], evidence.of[ex[:, 1].astype(int)]
            ex = ex[((ga == a) & (gb == b)) | ((ga == b) & (gb == a))]
        scores, anchors, wanted = numpy.sort(ex[:, 2])[::-1], [], 30
        while wanted <= len(scores):
            at = ex[ex[:, 2] >= scores[wanted - 1]]
            d = o.dyad_sparse(evidence.k, at[:, 0], at[:, 1], *args)
            anchors.append((scores[wanted - 1], d["p"], d["g"]))
            wanted *= 2
        at = ex[ex[:, 2] >= threshold]
        d = o.dyad_sparse(evidence.k, at[:, 0], at[:, 1], *args)
        floor = o.g_floor(anchors, threshold, d["F"], d["M"])
        unknown = d["F"] < 30 and not [c for c in anchors if c[0] < threshold]
        return d, o.fmr_ci(d, floor, alpha), unknown

    def check_fmr(self, said, d, ci, unknown, what):
        self.assertEqual((said["errors"], said["trials"]), (d["F"], d["M"]), what)
        if not d["M"]:
            return
        self.assertEqual(said["dependence"] == "unknown", unknown, what)
        if d["F"] == 0 and unknown:
            return  # only the bound that holds whatever the dependence; the reference has it for one group alone
        self.near(said["low"], ci["lo"], what + " low")
        self.near(said["high"], ci["hi"], what + " high")
        if d["F"]:
            self.near(said["effective_trials"], ci["neff"], what + " effective")
            self.near(said["design_effect"], ci["deff"], what + " design effect")

    # ---- one release ----

    def check_overall(self, evidence, release):
        o, gen = self.oracle, evidence.mated
        M = (evidence.k.sum() ** 2 - (evidence.k ** 2).sum()) / 2
        for point in release["operating_points"]:
            x, what = point["fmr_target"], "FMR %g" % point["fmr_target"]
            self.assertEqual(point["threshold"], o.threshold_at_fmr(evidence.tail[:, 2], M, x), what)
            self.check_fmr(point["fmr"], *self.cell(evidence, point["threshold"]), what)
            found = o.fnmr_at_fmr(evidence.k, evidence.tail, gen, x)
            self.near(point["fnmr"]["value"], found["p"], what + " FNMR")
            if point["fmr"]["errors"]:  # else the threshold is taken as given
                self.near(point["fnmr"]["low"], found["lo"], what + " FNMR low")
                self.near(point["fnmr"]["high"], found["hi"], what + " FNMR high")

    def check_pairs(self, evidence, release, attribute):
        labels = evidence.groups[attribute][1]
        for pair in release["group_pairs"]:
            if pair["attribute"] != attribute:
                continue
            a, b = labels.index(pair["a"]), labels.index(pair["b"])
            for point in pair["operating_points"]:
                self.check_fmr(point["fmr"], *self.cell(evidence, point["threshold"], a, b),
                               "%s: %s x %s at %s" % (attribute, pair["a"], pair["b"], point["fmr_target"]))

    def judge(self, evidence, groups, n):
        """Groups of one attribute at one point: per error the judged ones with their figures."""
        judged = {"fmr": [], "fnmr": []}
        for group in groups:
            point, label = group["operating_points"][n], group["group"]
            code = evidence.labels.index(label)
            mine = evidence.of == code
            x, m = self.oracle.per_subject(evidence.mated, point["threshold"], len(evidence.k))
            x, m = x * mine, m * mine
            if m.sum():
                found = self.oracle.fnmr(x, m)
                self.near(point["fnmr"]["value"], found["p"], label + " FNMR")
                self.near(point["fnmr"]["low"], found["lo"], label + " FNMR low")
                self.near(point["fnmr"]["high"], found["hi"], label + " FNMR high")
            if code < 3:
                self.assertEqual(point["fmr"]["standing"], "NOT JUDGED")
                continue
            if (mine & evidence.present).sum() >= FEW:
                d, ci, _ = self.cell(evidence, point["threshold"], code, code)
                judged["fmr"].append((point["fmr"], d["F"], d["M"], ci.get("deff", 1.), ci.get("V"), code))
            if (m > 0).sum() >= FEW:
                ncl = m.sum() / found["neff"] if found["V"] is None else found["deff"]
                judged["fnmr"].append((point["fnmr"], x.sum(), m.sum(), ncl, found["V"], (x, m)))
        return judged

    def check_measures(self, evidence, said, judged, threshold):
        o, rates, boxes = self.oracle, {}, {}
        for kind, groups in judged.items():
            self.assertEqual(said[kind]["groups"], len(groups))
            if len(groups) < 2:
                self.assertIsNone(said[kind]["gini"]["value"])
                return
            rates[kind] = [g[1] / g[2] for g in groups]
            level = 1 - .95 ** (1 / len(groups))
            limits = []
            for g in groups:
                ci = (self.cell(evidence, threshold, g[5], g[5], level)[1] if kind == "fmr" else o.fnmr(*g[5], level))
                limits.append((ci["lo"], ci["hi"]))
                self.near(g[0]["simultaneous_low"], ci["lo"], kind + " simultaneous low")
                self.near(g[0]["simultaneous_high"], ci["hi"], kind + " simultaneous high")
            boxes[kind] = o.box(limits)
            for name in ("max_min", "max_geomean"):
                self.near(said[kind][name]["least"], boxes[kind][name][0], kind + " least " + name)
                self.near(said[kind][name]["most"], boxes[kind][name][1], kind + " most " + name)
            if all(r > 0 for r in rates[kind]) and all(g[4] for g in groups):
                shrunk = o.tau2(rates[kind], [g[4] for g in groups])
                self.near(said[kind]["max_min"]["shrunk"], shrunk["max_min"], kind + " shrunk")
        expected = o.summaries(rates["fmr"], rates["fnmr"]) if len(rates["fmr"]) == len(rates["fnmr"]) else None
        for kind in ("fmr", "fnmr"):
            alone = o.summaries(rates[kind], rates[kind])
            for name, key in (("max_min", "max_min"), ("max_geomean", "max_geomean"), ("gini", "gini"),
                              ("difference", "diff")):
                self.near(said[kind][name]["value"], alone["fmr_" + key], kind + " " + name)
        if expected:
            for name in ("FDR", "IR", "GARBE"):
                self.near(said["both"][name.lower()]["value"], expected[name], name)

    def check_verdicts(self, families):
        o, all_of = self.oracle, []
        for groups in families:
            if len(groups) < 2:
                continue
            x, n, deff = ([g[c] for g in groups] for c in (1, 2, 3))
            one, beyond = o.worse_tests(x, n, deff), o.worse_tests(x, n, deff, LIMIT)
            e, t = numpy.array(x) / deff + .5, numpy.array(n) / deff + 1
            v = 1 / e - 1 / t
            for g, group in enumerate(groups):
                se = math.sqrt(v[g] + (v.sum() - v[g]) / (len(groups) - 1) ** 2)
                all_of.append((group[0], one["ratio"][g], one["p"][g], beyond["p"][g], se))
        z = statistics.NormalDist().inv_cdf(.95 ** (1 / max(len(all_of), 1)))
        worse, beyond = o.holm([t[2] for t in all_of]), o.holm([t[3] for t in all_of])
        for (said, ratio, _, _, se), p, q in zip(all_of, worse, beyond):
            upper = ratio * math.exp(z * se)
            self.near(said["ratio_to_others"], ratio, "ratio")
            self.near(said["ratio_upper"], upper, "upper ratio")
            for key, value in (("p_worse", p), ("p_beyond_limit", q)):  # tails cancel: 1 - cdf
                self.assertAlmostEqual(said[key], value, delta=1e-9 * value + 1e-15)
            self.assertEqual(said["standing"],
                             "WORSE" if p < .05 else "WITHIN LIMIT" if upper < LIMIT else "NOT ENOUGH DATA")
            self.assertEqual(said["beyond_limit"], q < .05)
            self.standings.add(said["standing"])

    def check(self, path, by):
        self.oracle, self.compared, self.standings = load_oracle(), 0, set()
        self.good("report", path, "--by", ",".join(by), "-o", "r", "-q")
        release = json.loads(read(self.path("r", "summary.json")))["releases"][0]
        evidence = Evidence(self.path(path))
        self.check_overall(evidence, release)
        for n, point in enumerate(release["operating_points"]):
            families = []
            for attribute in by:
                evidence.of, evidence.labels = evidence.groups[attribute]
                groups = [g for g in release["groups"] if g["attribute"] == attribute]
                judged = self.judge(evidence, groups, n)
                said = [d for d in release["differentials"] if d["attribute"] == attribute][n]
                self.check_measures(evidence, said, judged, point["threshold"])
                families += [judged["fmr"], judged["fnmr"]]
            self.check_verdicts(families)
        for attribute in by:
            evidence.of, evidence.labels = evidence.groups[attribute]
            self.check_pairs(evidence, release, attribute)

    def test_a_population_with_a_planted_differential(self):
        self.good("synth", "--templates", "--subjects", "400", "--samples", "3", "--seed", "7", "--planted", "-o", "s", "-q")
        self.good("import", "templates", "s/templates.npy", "--labels", "s/labels.csv", "--release", "synth",
                  "--version", "1", "--comparator", "cosine", "-o", "t.h5", "-q")
        self.good("compare", "t.h5", "-o", "e.h5", "--fmr-targets", "1e-2,1e-3,1e-4", "-q")
        self.check("e.h5", ["group", "sex"])
        self.assertEqual(self.standings, {"WORSE", "WITHIN LIMIT", "NOT ENOUGH DATA"})
        self.assertGreater(self.compared, 400)

    def test_meds2(self):
        self.good("run", os.path.join(SOURCE, "configs", "meds2.yaml"), "--output", "o", "-q")
        self.check("o/lbp-1.0/evidence.h5", ["sex", "race"])
        self.assertGreater(self.compared, 100)


if __name__ == "__main__":
    if not DATA or not os.path.isfile(ORACLE):
        skip("ASSAY_DATA names no folder with oracle/oracle.py beside it")
    main()
