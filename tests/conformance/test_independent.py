"""test_independent -- the figures of real face sets against a second computation that shares no code: float64
cosines of the templates by numpy, sorted and counted plainly.

Scores may differ in the last digits (templates are rounded to 2^-26), so counts at a threshold may differ by the
comparisons that lie within 1e-6 of it; everything else must be equal."""
import json
import math
import os

from cli_support import Case, SOURCE, main, skip

try:
    import h5py
    import numpy
except ImportError:
    skip("h5py and numpy are needed")
DATA = os.environ.get("ASSAY_DATA", "")
NEAR = 1e-6


class Independent(Case):
    def templates(self, path):
        with h5py.File(path) as store:
            vectors = [store[name][:] for name in store if getattr(store[name], "ndim", 0) == 2]
            found = {}
            store.visititems(lambda name, item: found.update({name: item[:]})
                             if isinstance(item, h5py.Dataset) and item.ndim == 2
                             and item.dtype == numpy.float32 else None)
            subject, session = store["samples/subject"][:], store["samples/session"][:]
        self.assertEqual(len(found), 1, vectors)
        rows = next(iter(found.values())).astype(float)
        return rows / numpy.linalg.norm(rows, axis=1, keepdims=True), subject, session

    def scores(self, path, same_session):
        rows, subject, session = self.templates(path)
        product = rows @ rows.T
        i, j = numpy.triu_indices(len(rows), 1)
        same = subject[i] == subject[j]
        allowed = same_session | (session[i] != session[j]) | (session[i] == 0)
        return numpy.sort(product[i, j][same & allowed]), numpy.sort(product[i, j][~same])

    def count(self, reported, scores, threshold, below):
        reach = (scores < threshold).sum() if below else (scores >= threshold).sum()
        unsure = (abs(scores - threshold) < NEAR).sum()
        self.assertLessEqual(abs(int(reach) - reported), unsure)

    def check_release(self, release, mated, non_mated):
        self.assertEqual(release["mated"]["comparisons"], len(mated))
        self.assertEqual(release["non_mated"]["comparisons"], len(non_mated))
        for part, scores in (("mated", mated), ("non_mated", non_mated)):
            self.assertAlmostEqual(release[part]["mean"], scores.mean(), delta=NEAR)
            self.assertAlmostEqual(release[part]["sd"], scores.std(), delta=NEAR)
        left = numpy.searchsorted(non_mated, mated, "left").sum()
        right = numpy.searchsorted(non_mated, mated, "right").sum()
        auc = (int(left) + int(right)) / 2 / len(mated) / len(non_mated)
        self.assertAlmostEqual(release["auc"]["value"], auc, delta=NEAR)
        spread = math.sqrt((mated.var() + non_mated.var()) / 2)
        self.assertAlmostEqual(release["dprime"]["value"], abs(mated.mean() - non_mated.mean()) / spread, delta=1e-4)
        for point in release["operating_points"]:
            allowed = math.floor(point["fmr_target"] * len(non_mated) + 1e-9)
            self.assertLessEqual(point["fmr"]["errors"], allowed)
            if allowed > 0:
                self.assertAlmostEqual(point["threshold"], non_mated[-allowed], delta=NEAR)
            else:
                self.assertGreater(point["threshold"], non_mated[-1] - NEAR)
            self.count(point["fmr"]["errors"], non_mated, point["threshold"], below=False)
            self.count(point["fnmr"]["errors"], mated, point["threshold"], below=True)

    def check(self, name, same_session):
        self.good("run", os.path.join(SOURCE, "configs", name + ".yaml"), "--output", "o", "-q")
        with open(self.path("o/report/summary.json"), encoding="utf-8") as text:
            summary = json.load(text)
        self.assertEqual(len(summary["releases"]), 2)
        for release in summary["releases"]:
            folder = "o/%s-%s" % (release["name"], release["version"])
            self.check_release(release, *self.scores(self.path(folder, "templates.h5"), same_session))

    def test_london(self):
        self.check("london", same_session=True)

    def test_meds2(self):
        self.check("meds2", same_session=False)


if __name__ == "__main__":
    if not DATA:
        skip("ASSAY_DATA does not name the folder of the real data")
    main()
