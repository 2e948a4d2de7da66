"""test_layers -- the house holds: who may include whom (the table of ARCHITECTURE.md's Rooms), what the
lists of .def files name, how long a file may be, and who sees HDF5, libvips and a terminal."""
import os
import re
import sys
import unittest

SOURCE = os.environ.get("ASSAY_SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLACES = ("datasets", "kernels", "reports", "harness")
LINES_MOST = 800
PROGRAMS = {"datasets/image_worker/worker.c": "assay-image-worker",
            "harness/worker/plugin_worker.c": "assay-algorithm-worker"} # said by the name that people see


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as text:
        return text.read()


def sources(*ends):
    for place in PLACES:
        for where, _, names in os.walk(os.path.join(SOURCE, place)):
            for name in sorted(names):
                if name.endswith(ends):
                    yield os.path.relpath(os.path.join(where, name), SOURCE)


def rooms():
    """The table of Rooms: {room: [rooms that it may include]}, both as folders."""
    section = read("ARCHITECTURE.md").split("\n## Rooms\n")[1].split("\n## ")[0]
    table = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 3 or not cells[0].startswith("`"):
            continue
        room = cells[0].strip("`").rstrip("/")
        allowed = [name.rstrip("/") for name in re.findall(r"`([^`]+)`", cells[2])]
        table[room] = allowed
    everything = [room for room in table if room.split("/")[0] in PLACES]
    for room, allowed in table.items():
        if not allowed:
            table[room] = everything
    return table


def room_of(path, table):
    """The innermost room that holds path."""
    folder = os.path.dirname(path)
    while folder and folder not in table:
        folder = os.path.dirname(folder)
    return folder


def includes(path):
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', read(path), re.MULTILINE)


class Layers(unittest.TestCase):
    def test_the_table_of_rooms_is_read(self):
        table = rooms()
        for room in ("datasets/base", "datasets", "kernels", "reports", "harness", "harness/cli"):
            self.assertIn(room, table)
        self.assertNotIn("reports", table["harness"])
        self.assertNotIn("harness", table["reports"])

    def test_no_include_goes_where_the_table_does_not_allow(self):
        table = rooms()
        wrong, seen = [], 0
        for path in sources(".c", ".h", ".cpp", ".cu"):
            own = room_of(path, table)
            self.assertTrue(own, "%s is in no room" % path)
            for name in includes(path):
                seen += 1
                if not os.path.exists(os.path.join(SOURCE, name)):
                    wrong.append('%s includes "%s", which does not name its room' % (path, name))
                    continue
                other = room_of(name, table)
                allowed = any(other == room or other.startswith(room + "/") and other not in table or
                              other == "datasets/base" and room == "datasets"
                              for room in table[own] + [own])
                if not allowed:
                    wrong.append('%s (%s) includes "%s" (%s)' % (path, own, name, other))
        self.assertGreater(seen, 100)
        self.assertEqual(wrong, [])

    def test_the_table_has_teeth(self):
        table = rooms()
        self.assertEqual(room_of("harness/cli/main.c", table), "harness/cli")
        self.assertEqual(room_of("datasets/base/file.h", table), "datasets/base")
        self.assertEqual(room_of("kernels/cpu/cpu.c", table), "kernels")
        self.assertNotIn("datasets", table["datasets/base"])
        self.assertNotIn("datasets", table["kernels"])

    def test_public_headers_stand_alone_and_are_guarded(self):
        for path in sources(".h"):
            guard = "ASSAY_" + re.sub(r"[^A-Z0-9]", "_", path.upper())
            self.assertIn("#ifndef %s\n#define %s\n" % (guard, guard), read(path), path)


class Libraries(unittest.TestCase):
    def users(self, pattern):
        return [path for path in sources(".c", ".h", ".cpp")
                if re.search(r"^\s*#\s*include\s+<(%s)" % pattern, read(path), re.MULTILINE)]

    def test_only_datasets_sees_hdf5(self):
        found = self.users(r"hdf5|H5")
        self.assertTrue(found)
        self.assertEqual([path for path in found if not path.startswith("datasets/")], [])

    def test_only_the_image_worker_sees_libvips(self):
        found = self.users(r"vips/")
        self.assertTrue(found)
        self.assertEqual([path for path in found if not path.startswith("datasets/image_worker/")], [])

    def test_no_header_shows_a_library_of_its_room(self):
        wrong = [path for path in self.users(r"hdf5|H5|yaml\.h|csv\.h|openssl|vips|cblas") if path.endswith(".h")]
        self.assertEqual([path for path in wrong if path not in ("datasets/store.h",)], [])

    def test_nobody_but_the_command_line_prints_or_exits(self):
        wrong = []
        for path in sources(".c"):
            if path.startswith(("harness/cli/", "datasets/image_worker/", "harness/worker/")):
                continue
            text = re.sub(r'"(\\.|[^"\\])*"', '""', re.sub(r"/\*.*?\*/|//[^\n]*", "", read(path), flags=re.DOTALL))
            for call in re.findall(r"(?<![\w.>])(exit|abort|printf|puts|putchar|perror)\s*\(", text):
                wrong.append("%s calls %s" % (path, call))
            if re.search(r"\bstd(out|err)\b", text):
                wrong.append("%s writes to a standard stream" % path)
        self.assertEqual(wrong, [])


class Lists(unittest.TestCase):
    def names(self, path, macro):
        found = re.findall(r"^%s\((\w+)" % macro, read(path), re.MULTILINE)
        self.assertTrue(found, path)
        self.assertEqual(len(found), len(set(found)), path)
        return found

    def defined(self, kind, name, ends=(".c",)):
        pattern = r"^const %s %s\s*=" % (kind, name)
        return [path for path in sources(*ends) if re.search(pattern, read(path), re.MULTILINE)]

    def test_every_name_of_a_list_is_defined_once(self):
        for path, macro, kind in (("kernels/backends.def", "BACKEND", "assay_backend"),
                                  ("harness/algorithms.def", "ALGORITHM", "assay_algorithm"),
                                  ("harness/cli/commands.def", "COMMAND", "assay_command")):
            for name in self.names(path, macro):
                self.assertEqual(len(self.defined(kind, name)), 1, "%s of %s" % (name, path))

    def test_every_command_has_a_file_of_its_name(self):
        for name in self.names("harness/cli/commands.def", "COMMAND"):
            word = name.replace("assay_command_", "")
            self.assertEqual(self.defined("assay_command", name), ["harness/cli/cmd_%s.c" % word])

    def test_every_def_file_is_included(self):
        texts = "".join(read(path) for path in sources(".c", ".h"))
        lists = list(sources(".def"))
        self.assertGreaterEqual(len(lists), 4)
        for path in lists:
            self.assertIn('#include "%s"' % path, texts)


class Files(unittest.TestCase):
    def test_no_file_is_longer_than_an_hour(self):
        for path in sources(".c", ".h", ".cpp", ".cu", ".def"):
            self.assertLessEqual(read(path).count("\n"), LINES_MOST, path)

    def test_a_file_opens_with_its_name_and_purpose(self):
        for path in sources(".c", ".h", ".cpp", ".def"):
            stem = PROGRAMS.get(path) or os.path.splitext(os.path.basename(path))[0]
            opening = read(path).split("\n", 1)[0]
            self.assertRegex(opening, r"^(/\*|//) %s(\.def)? -- \S" % re.escape(stem), path)

    def test_file_names_are_unique_in_the_tree(self):
        seen = {}
        for path in sources(".c", ".h"):
            name = os.path.basename(path)
            self.assertNotIn(name, seen, "%s and %s" % (path, seen.get(name)))
            seen[name] = path

    def test_a_report_clears_every_table_and_plot_that_it_can_write(self):
        folder = read("reports/folder.c")
        tables, plots = set(), set()
        for path in sources(".c"):
            if path.startswith("reports/"):
                tables.update(re.findall(r'"tables/([a-z_]+\.csv)"', read(path)))
                plots.update(re.findall(r'assay_plot_draw\(\s*report,\s*"([a-z]+)"', read(path)))
        self.assertIn("ageing.csv", tables)
        self.assertIn("det", plots)
        self.assertEqual([name for name in sorted(tables) if '"%s"' % name not in folder], [])
        self.assertEqual([name for name in sorted(plots) if '"%s."' % name not in folder], [])


if __name__ == "__main__":
    if not os.path.exists(os.path.join(SOURCE, "ARCHITECTURE.md")):
        print("ARCHITECTURE.md is not there")
        sys.exit(1)
    unittest.main()
