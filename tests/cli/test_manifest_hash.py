"""test_manifest_hash -- `assay manifest --hash` writes the manifest with the SHA-256 of each image, and by it an image that
was changed takes no part."""
import hashlib
import os

from cli_support import Case, main, read, read_csv, write

CONFIG = """assay: 1
name: m
dataset:
  name: m
  root: .
  manifest: %s
  attributes: [{ name: sex, level: subject, source: document }]
releases: [{ name: lbp, version: "1", algorithm: lbp }]
"""
ROWS = ['sample_id,path,note,subject_id,sex', 'a,i/1.pgm,"one, ""two""\nlines",1,F', '=b,i/2.pgm, plain ,1,F', 'c,i/3.pgm,,2,M']


class ManifestHash(Case):
    def setUp(self):
        super().setUp()
        for n in (1, 2, 3):
            write(self.folder, "i/%d.pgm" % n, "P2 2 2 255 %d 1 2 3\n" % n)
        write(self.folder, "m.csv", "\n".join(ROWS) + "\n")
        write(self.folder, "c.yaml", CONFIG % "m.csv")

    def digest(self, n):
        with open(self.path("i/%d.pgm" % n), "rb") as raw:
            return hashlib.sha256(raw.read()).hexdigest()

    def test_cells_stay_and_digests_are_those_of_the_files(self):
        found = self.json("manifest", "c.yaml", "--hash", "-o", "h.csv", "--json")
        self.assertEqual(found, {"path": "h.csv", "samples": 3, "subjects": 2, "added": 3})
        before, after = read_csv(self.path("m.csv")), read_csv(self.path("h.csv"))
        for n, (old, new) in enumerate(zip(before, after)):
            self.assertEqual(new.pop("sha256"), self.digest(n + 1))
            self.assertEqual({key: value.strip() for key, value in old.items()}, new)
        # Hashing what is hashed changes nothing.
        write(self.folder, "d.yaml", CONFIG % "h.csv")
        self.assertEqual(self.json("manifest", "d.yaml", "--hash", "-o", "again.csv", "--json")["added"], 0)
        self.assertEqual(read(self.path("h.csv")), read(self.path("again.csv")))

    def test_a_changed_image_is_excluded_by_it_and_is_not_hashed_again(self):
        self.good("manifest", "c.yaml", "--hash", "-o", "h.csv", "-q")
        write(self.folder, "i/2.pgm", "P2 2 2 255 9 9 9 9\n")
        write(self.folder, "d.yaml", CONFIG % "h.csv")
        self.assertEqual(self.json("ingest", "d.yaml", "-o", "d.h5", "--json")["excluded"], 1)
        text = self.bad(2, "manifest", "d.yaml", "--hash", "-o", "x.csv")
        self.assertIn("the image of sample '=b' (i/2.pgm) has another SHA-256 than the manifest says", text)
        self.assertFalse(os.path.exists(self.path("x.csv")))

    def test_matched_files_become_a_manifest(self):
        write(self.folder, "c.yaml", CONFIG.replace("attributes: [{ name: sex, level: subject, source: document }]", "notes: {}") %
              '{ files: "i/([0-9])\\\\.pgm", columns: { sample_id: "s\\\\1", subject_id: "\\\\1" } }')
        self.good("manifest", "c.yaml", "--hash", "-o", "h.csv")
        self.assertEqual([row["path"] for row in read_csv(self.path("h.csv"))], ["i/1.pgm", "i/2.pgm", "i/3.pgm"])

    def test_nothing_is_written_over_and_hash_is_asked_for(self):
        self.assertIn("it is there already", self.bad(2, "manifest", "c.yaml", "--hash", "-o", "m.csv"))
        self.assertIn("expected --hash", self.bad(2, "manifest", "c.yaml", "-o", "h.csv"))
        self.assertEqual(read(self.path("m.csv")), "\n".join(ROWS) + "\n")

    def test_hard_links_are_refused_unless_the_data_set_allows_them(self):
        os.link(self.path("i/3.pgm"), self.path("other.pgm"))
        self.assertIn("m.csv:5:2: path: i/3.pgm has 2 names (hard links)", self.bad(2, "ingest", "c.yaml", "-o", "d.h5"))
        write(self.folder, "c.yaml", (CONFIG % "m.csv").replace("root: .", "root: .\n  allow: [hard-links]"))
        self.good("ingest", "c.yaml", "-o", "d.h5")
        write(self.folder, "c.yaml", (CONFIG % "m.csv").replace("root: .", "root: .\n  allow: [links]"))
        self.assertIn("hard-links", self.bad(2, "ingest", "c.yaml", "-o", "d.h5"))


if __name__ == "__main__":
    main()
